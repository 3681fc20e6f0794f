package io.peftj.djl.engine;

import static io.peftj.djl.engine.Engines.SHARED;
import static io.peftj.djl.engine.Engines.random;
import static io.peftj.djl.engine.Engines.randomTensor;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.FusedWeight;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Session;
import io.peftj.core.tensor.Tensor;
import io.peftj.core.tensor.Weight;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** On processors that oneDNN, which packs, is built for. */
@EnabledIfSystemProperty(named = "os.arch", matches = "amd64|x86_64")
class PackedWeightsTest {
    private static final int OUT = 96;
    private static final int IN = 64;
    private static final int MOST_TOKENS = 40;

    private static TorchBackend packing;

    /** Whatever processor this is, it packs in both formats. */
    @BeforeAll
    static void open() {
        Processor intel = new Processor(true, false);
        packing = TorchBackend.open(
                EngineOptions.defaults().withThreads(1).withPackedWeights(true),
                new KernelChoice(intel, true, true, true, true));
    }

    @AfterAll
    static void close() {
        packing.close();
    }

    private static double[] product(TorchBackend backend, Weight weight, DType dtype, int tokens) {
        return backend.call(() -> {
            try (Session session = Session.open(backend)) {
                Tensor bias = randomTensor(session, dtype, 5, OUT);
                return randomTensor(session, dtype, tokens, tokens, IN)
                        .linear(weight, bias)
                        .toDoubles();
            }
        });
    }

    @ParameterizedTest
    @EnumSource(
            value = DType.class,
            names = {"F32", "BF16"})
    void productsOfAnyNumberOfTokensAreTheSame(DType dtype) {
        HostTensor values = random(1, OUT, IN);
        Weight packed = packing.weight(values, dtype);
        Weight plain = SHARED.weight(values, dtype);
        for (int tokens = 1; tokens <= MOST_TOKENS; tokens++) {
            double[] expected = product(SHARED, plain, dtype, tokens);
            double[] found = product(packing, packed, dtype, tokens);
            for (int i = 0; i < expected.length; i++) {
                double near = dtype == DType.F32 ? 1e-5 : 0.01;
                assertThat(found[i]).isCloseTo(expected[i], within(near * (1 + Math.abs(expected[i]))));
            }
        }
        packing.free(packed);
        SHARED.free(plain);
    }

    @Test
    void theCopyIsMadeWhenFewTokensComeAndFreedWithTheWeight() {
        long before = packing.memory().liveBytes();
        Weight weight = packing.weight(random(1, OUT, IN), DType.F32);
        long bytes = OUT * IN * 4L;
        product(packing, weight, DType.F32, 33);
        assertThat(packing.memory().liveBytes() - before).isEqualTo(bytes);
        product(packing, weight, DType.F32, 8);
        product(packing, weight, DType.F32, 9);
        assertThat(packing.memory().liveBytes() - before).isEqualTo(2 * bytes);
        packing.free(weight);
        assertThat(packing.memory().liveBytes()).isEqualTo(before);
    }

    @Test
    void partsOfAFusedWeightArePackedForThemselves() {
        long before = packing.memory().liveBytes();
        HostTensor values = random(1, OUT, IN);
        FusedWeight fused =
                packing.fuse(List.of(packing.weight(random(2, IN, IN), DType.F32), packing.weight(values, DType.F32)));
        Weight plain = SHARED.weight(values, DType.F32);
        double[] expected = product(SHARED, plain, DType.F32, 8);
        double[] found = product(packing, fused.parts().get(1), DType.F32, 8);
        assertThat(found).containsExactly(expected, within(1e-5));
        fused.parts().forEach(packing::free);
        packing.free(fused.whole());
        SHARED.free(plain);
        assertThat(packing.memory().liveBytes()).isEqualTo(before);
    }

    @Test
    void onlyFewTokensArePacked() {
        KernelChoice intel = new KernelChoice(new Processor(true, true), true, true, true, true);
        assertThat(intel.packs(ScalarType.F32, 3)).isFalse();
        assertThat(intel.packs(ScalarType.F32, 4)).isTrue();
        assertThat(intel.packs(ScalarType.F32, 32)).isTrue();
        assertThat(intel.packs(ScalarType.F32, 33)).isFalse();
        assertThat(intel.packs(ScalarType.BF16, 1)).isTrue();
        assertThat(intel.packs(ScalarType.BF16, 33)).isFalse();
        assertThat(intel.packs(ScalarType.F64, 8)).isFalse();
        KernelChoice other = new KernelChoice(Processor.OTHER, true, true, true, true);
        assertThat(other.packs(ScalarType.F32, 8)).isFalse();
        assertThat(other.packs(ScalarType.BF16, 8)).isTrue();
        assertThat(new KernelChoice(Processor.OTHER, false, false, false, false).packs(ScalarType.BF16, 8))
                .isFalse();
    }
}
