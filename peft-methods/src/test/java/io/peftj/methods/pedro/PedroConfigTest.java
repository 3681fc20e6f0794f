package io.peftj.methods.pedro;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonObject;
import io.peftj.core.InvalidConfigException;
import io.peftj.core.InvalidFileException;
import io.peftj.core.adapter.TaskType;
import io.peftj.core.io.Json;
import io.peftj.methods.pedro.PedroActivation.Fixed;
import io.peftj.methods.pedro.PedroActivation.Rational;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class PedroConfigTest {
    private final PedroMethod method = new PedroMethod();

    private PedroConfig read(String json) {
        return method.read(Json.parse(json, "test"));
    }

    private static void assertRefused(UnaryOperator<PedroConfig.Builder> bad, String message) {
        assertThatThrownBy(() -> bad.apply(PedroConfig.builder()).build())
                .isInstanceOf(InvalidConfigException.class)
                .hasMessage(message);
    }

    private void assertNotRead(String keys, String message) {
        assertThatThrownBy(() -> read("{\"r\": 4, " + keys + "}"))
                .isInstanceOf(InvalidFileException.class)
                .hasMessage("adapter_config.json: expected " + message);
    }

    @Test
    void aGeneratorNeedsAWidth() {
        assertRefused(builder -> builder.rank(0), "r: expected at least 1, found 0; 12 is usual");
    }

    @Test
    void targetsStandOnceAndInOrder() {
        String expected = "targets: expected some of [q, v, up], in this order, found ";
        assertRefused(builder -> builder.targets(List.of()), expected + "[]; all three are usual");
        assertRefused(
                builder -> builder.targets(List.of(PedroTarget.UP, PedroTarget.QUERY)),
                expected + "[up, q]; all three are usual");
        assertRefused(
                builder -> builder.targets(List.of(PedroTarget.VALUE, PedroTarget.VALUE)),
                expected + "[v, v]; all three are usual");
    }

    @Test
    void rationalFunctionsAreOfDegreesThereAreCoefficientsFor() {
        assertThatThrownBy(() -> new Rational(4, 5, RationalStart.GELU))
                .isInstanceOf(InvalidConfigException.class)
                .hasMessage("rational_degrees: expected one of [[5, 4], [6, 5]], found [4, 5]");
        assertThatThrownBy(() -> read("{\"r\": 4, \"rational_degrees\": [3, 2]}"))
                .isInstanceOf(InvalidConfigException.class)
                .hasMessage("rational_degrees: expected one of [[5, 4], [6, 5]], found [3, 2]");
        assertNotRead(
                "\"rational_degrees\": [5]",
                "two numbers under \"rational_degrees\", found [5]; correct it, or leave it out for [5, 4]");
    }

    @Test
    void filesSayTheRank() {
        assertThatThrownBy(() -> read("{}"))
                .isInstanceOf(InvalidFileException.class)
                .hasMessage("adapter_config.json: expected an integer under \"r\", found no such key; add the key, or"
                        + " check that this is the right file");
    }

    @Test
    void unknownWordsAreRefused() {
        assertNotRead(
                "\"pooling\": \"median\"",
                "one of [last, first, mean, max, attention] under \"pooling\", found \"median\"; correct it");
        assertNotRead(
                "\"pool_norm\": \"layer\"", "\"rms\" or \"none\" under \"pool_norm\", found \"layer\"; correct it");
        assertNotRead(
                "\"activation\": \"tanh\"",
                "rational or one of [gelu, relu, silu, mish, identity] under \"activation\", found \"tanh\";"
                        + " correct it");
        assertNotRead(
                "\"targets\": [\"q\", \"k\"]", "some of [q, v, up] under \"targets\", found [\"q\",\"k\"]; correct it");
    }

    static Stream<PedroActivation> activations() {
        return Stream.concat(
                Stream.of(Fixed.values()),
                Stream.of(PedroActivation.rational(), new Rational(6, 5, RationalStart.GELU)));
    }

    @ParameterizedTest
    @MethodSource("activations")
    void everythingWrittenIsReadBack(PedroActivation activation) {
        PedroConfig config = PedroConfig.builder()
                .rank(3)
                .pooling(PromptPooling.ATTENTION)
                .poolNorm(false)
                .activation(activation)
                .targets(List.of(PedroTarget.VALUE, PedroTarget.UP))
                .modulesToSave(List.of("score"))
                .headOfTask(false)
                .taskType(TaskType.SEQ_CLS)
                .build();

        JsonObject json = method.write(config);

        assertThat(method.read(json)).isEqualTo(config);
        assertThat(method.keys()).containsAll(json.keySet());
        assertThat(config.toBuilder().build()).isEqualTo(config);
    }
}
