package io.peftj.core.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.peftj.core.InvalidFileException;
import io.peftj.core.io.Fingerprint.Tensor;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Shape;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.BiFunction;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

class FingerprintTest {
    private static final Map<String, Integer> SIZES = Map.of("hidden_size", 16, "layers", 4);

    @Test
    void copiesInOtherNumberFormatsAreOneModel() {
        Fingerprint single = take(model(1), StoredTensor::f32);
        Fingerprint bf16 = take(model(1), StoredTensor::bf16);
        Fingerprint half =
                take(model(1), (name, tensor) -> StoredTensor.f32(name, map(tensor, FingerprintTest::viaHalf)));

        assertThat(single.differenceFrom(bf16)).isEmpty();
        assertThat(bf16.matches(single)).isTrue();
        assertThat(single.matches(half)).isTrue();
        assertThat(bf16.matches(half)).isTrue();
        assertThat(single).isNotEqualTo(bf16);
    }

    @Test
    void otherWeightsAreAnotherModel() {
        assertThat(take(model(1)).differenceFrom(take(model(2))).orElseThrow())
                .startsWith(
                        "recorded for the base llama (hidden_size 16, layers 4), used with the base llama (hidden_size"
                                + " 16, layers 4): value 0 of 64 taken from embed.weight is ")
                .endsWith(" here, so the weights are others");
    }

    @Test
    void weightsThatWereTrainedOnAreAnotherModel() {
        Map<String, HostTensor> trained = new TreeMap<>(model(1));
        trained.replaceAll((name, tensor) -> map(tensor, value -> value + 1e-3f));

        assertThat(take(model(1)).matches(take(trained))).isFalse();
    }

    @Test
    void notANumberIsEqualToItselfOnlyAndInfinityToo() {
        Map<String, HostTensor> infinite = Map.of("w", HostTensor.filled(Shape.of(1, 1), Float.POSITIVE_INFINITY));
        Map<String, HostTensor> nan = Map.of("w", HostTensor.filled(Shape.of(1, 1), Float.NaN));
        Map<String, HostTensor> one = Map.of("w", HostTensor.filled(Shape.of(1, 1), 1));

        assertThat(take(infinite).matches(take(infinite))).isTrue();
        assertThat(take(nan).matches(take(nan))).isTrue();
        assertThat(take(infinite).matches(take(one))).isFalse();
        assertThat(take(one).matches(take(nan))).isFalse();
    }

    @Test
    void theFirstDifferenceIsNamed() {
        Fingerprint base = take(model(1));
        Map<String, Tensor> body = body(model(1), StoredTensor::f32);

        assertThat(base.differenceFrom(Fingerprint.compute("gpt2", SIZES, body)))
                .hasValueSatisfying(text -> assertThat(text).endsWith(": architecture is llama there and gpt2 here"));
        assertThat(base.differenceFrom(Fingerprint.compute("llama", Map.of("hidden_size", 16, "layers", 6), body)))
                .hasValueSatisfying(text -> assertThat(text)
                        .isEqualTo("recorded for the base llama (hidden_size 16, layers 4), used with the base llama"
                                + " (hidden_size 16, layers 6): layers is 4 there and 6 here"));
        assertThat(base.differenceFrom(Fingerprint.compute("llama", Map.of("layers", 4), body)))
                .hasValueSatisfying(text -> assertThat(text).endsWith(": hidden_size is 16 there and absent here"));

        Map<String, HostTensor> fewer = new TreeMap<>(model(1));
        fewer.remove("layers.2.norm.weight");
        assertThat(base.differenceFrom(take(fewer)))
                .hasValueSatisfying(text ->
                        assertThat(text).endsWith(": the number of layers.*.norm.weight [16] is 4 there and 3 here"));
    }

    @Test
    void eightMatricesSpreadOverTheModelAreSampled() {
        Map<String, Integer> asked = new TreeMap<>();
        Map<String, Tensor> body = new TreeMap<>();
        model(1).forEach((name, tensor) -> body.put(name, new Tensor(tensor.shape(), places -> {
            asked.put(name, places.length);
            return new float[places.length];
        })));

        Fingerprint.compute("llama", SIZES, body);

        assertThat(asked).hasSize(8).containsKeys("embed.weight", "layers.3.v.weight");
        assertThat(asked.keySet()).noneMatch(name -> name.contains("norm"));
        assertThat(asked.values()).containsOnly(64);
    }

    @Test
    void itSurvivesItsEncodingInOneShortLine() {
        Fingerprint base = take(model(1));
        String text = base.encode();

        assertThat(Fingerprint.decode(text, "metadata")).isEqualTo(base).hasSameHashCodeAs(base);
        assertThat(text)
                .doesNotContain("\n")
                .hasSizeLessThan(4096)
                .startsWith("{\"architecture\":\"llama\",\"sizes\":{\"hidden_size\":16,\"layers\":4},\"tensors\":{");
    }

    @Test
    void theSameModelGivesTheSameTextInEveryVersion() {
        Map<String, HostTensor> small = Map.of("w", HostTensor.of(Shape.of(1, 2), 1, -2));

        assertThat(Fingerprint.compute("bert", Map.of("layers", 1), body(small, StoredTensor::f32))
                        .encode())
                .isEqualTo("{\"architecture\":\"bert\",\"sizes\":{\"layers\":1},\"tensors\":{\"w [1, 2]\":1},"
                        + "\"values\":{\"w\":\"AAAAwAAAgD8AAADAAACAPwAAAMAAAIA/AAAAwAAAgD8AAADAAACAPwAAAMAAAIA/"
                        + "AAAAwAAAAMAAAADAAAAAwAAAAMAAAIA/AACAPwAAgD8AAADAAAAAwAAAgD8AAIA/AAAAwAAAAMAAAIA/"
                        + "AACAPwAAgD8AAIA/AAAAwAAAAMAAAIA/AAAAwAAAAMAAAADAAAAAwAAAAMAAAADAAAAAwAAAgD8AAIA/"
                        + "AACAPwAAAMAAAIA/AAAAwAAAAMAAAADAAAAAwAAAgD8AAADAAACAPwAAAMAAAADAAACAPwAAAMAAAADA"
                        + "AACAPwAAgD8AAADAAAAAwAAAgD8AAADAAAAAwA=="
                        + "\"},\"version\":1}");
    }

    @Test
    void damagedTextIsRefused() {
        assertThatThrownBy(() -> Fingerprint.decode("{\"version\":2}", "metadata"))
                .isInstanceOf(InvalidFileException.class)
                .hasMessage("metadata: expected fingerprint version 1 under \"version\", found 2;"
                        + " use a newer version of this library");
        assertThatThrownBy(() -> Fingerprint.decode("{\"version\":1,\"values\":{\"w\":\"*\"}}", "metadata"))
                .isInstanceOf(InvalidFileException.class)
                .hasMessage(
                        "metadata: expected base64 under \"values.w\", found \"*\"; the file is damaged, copy it again");
        assertThatThrownBy(() -> Fingerprint.decode("no", "metadata")).isInstanceOf(InvalidFileException.class);
    }

    private static Map<String, HostTensor> model(long seed) {
        Random random = new Random(seed);
        Map<String, HostTensor> tensors = new TreeMap<>();
        tensors.put("embed.weight", random(random, 32, 16));
        for (int layer = 0; layer < 4; layer++) {
            for (String site : new String[] {"q", "k", "v"}) {
                tensors.put("layers." + layer + "." + site + ".weight", random(random, 16, 16));
            }
            tensors.put("layers." + layer + ".norm.weight", HostTensor.filled(Shape.of(16), 1));
        }
        return tensors;
    }

    private static HostTensor random(Random random, int rows, int columns) {
        return map(HostTensor.filled(Shape.of(rows, columns), 0), zero -> (float) random.nextGaussian() * 0.02f);
    }

    private static HostTensor map(HostTensor tensor, UnaryOperator<Float> each) {
        float[] values = new float[tensor.values().length];
        for (int i = 0; i < values.length; i++) {
            values[i] = each.apply(tensor.values()[i]);
        }
        return HostTensor.of(tensor.shape(), values);
    }

    /** Rounds to half precision's ten bits of fraction, or to its smallest step near 0. */
    private static float viaHalf(float value) {
        float step = Math.max(Math.ulp(value) * 0x1p13f, 0x1p-24f);
        return (float) Math.rint(value / step) * step;
    }

    private static Fingerprint take(Map<String, HostTensor> model) {
        return take(model, StoredTensor::f32);
    }

    private static Fingerprint take(
            Map<String, HostTensor> model, BiFunction<String, HostTensor, StoredTensor> stored) {
        return Fingerprint.compute("llama", SIZES, body(model, stored));
    }

    private static Map<String, Tensor> body(
            Map<String, HostTensor> model, BiFunction<String, HostTensor, StoredTensor> stored) {
        Map<String, Tensor> body = new TreeMap<>();
        model.forEach((name, tensor) -> body.put(name, Tensor.of(stored.apply(name, tensor))));
        return body;
    }
}
