package io.peftj.djl.engine;

import static io.peftj.djl.engine.Engines.SHARED;
import static io.peftj.djl.engine.Engines.compute;
import static io.peftj.djl.engine.Engines.randomTensor;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.jni.IValue;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Tensor;
import io.peftj.core.tensor.Weight;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

class KernelChoiceTest {

    private static KernelChoice probe() {
        return SHARED.call(() -> {
            try (PtNDManager manager = (PtNDManager) Engine.getEngine("PyTorch").newBaseManager(Device.cpu())) {
                return KernelChoice.probe(manager, EngineOptions.defaults().withThreads(1));
            }
        });
    }

    @Test
    void everyBuildOfLibtorchForProcessorsHasTheFusedKernels() {
        assertThat(probe().flashAttention()).isTrue();
        assertThat(probe().fusedAdamW()).isTrue();
    }

    /** A probe that fails by mistake costs half the speed and is not seen in any result. */
    @Test
    @EnabledIfSystemProperty(named = "os.arch", matches = "amd64|x86_64")
    void theFastKernelsOfThePinnedNativesAreFound() {
        assertThat(probe()).isEqualTo(new KernelChoice(Processor.here(), true, true, true, true));
    }

    @Test
    void whatIsNotThereIsReplaced() {
        assertThat(new KernelChoice(Processor.OTHER, false, false, false, false).resources())
                .contains("linear_portable", "attention_portable", "adamw_portable")
                .doesNotContain("linear_onednn", "attention_flash", "adamw_fused");
    }

    @Test
    void oneDnnMultipliesWhereLibtorchWouldDoWorse() {
        KernelChoice other = new KernelChoice(Processor.OTHER, true, true, true, true);
        assertThat(other.fastWeight(ScalarType.F32, 1)).isTrue();
        assertThat(other.fastWeight(ScalarType.BF16, 512)).isTrue();
        assertThat(other.fastWeight(ScalarType.F64, 512)).isFalse();
        KernelChoice tiles = new KernelChoice(new Processor(true, true), true, true, true, true);
        assertThat(tiles.fastWeight(ScalarType.F32, 1)).isFalse();
        assertThat(tiles.fastWeight(ScalarType.BF16, 31)).isTrue();
        assertThat(tiles.fastWeight(ScalarType.BF16, 32)).isFalse();
        assertThat(tiles.fastProduct(ScalarType.BF16, 64, 64, 64)).isFalse();
        assertThat(tiles.columnsFirst(ScalarType.F32)).isTrue();
    }

    @Test
    void singleTokensAttendByProductsUnlessTheFusedKernelIsFaster() {
        KernelChoice fused = new KernelChoice(Processor.OTHER, true, true, true, true);
        assertThat(fused.tokenProducts(ScalarType.F32)).isTrue();
        assertThat(fused.tokenProducts(ScalarType.F64)).isTrue();
        assertThat(fused.tokenProducts(ScalarType.BF16)).isFalse();
        assertThat(new KernelChoice(Processor.OTHER, false, false, false, false).tokenProducts(ScalarType.BF16))
                .isTrue();
    }

    @Test
    void aProcessorIsKnownByWhatItsSystemSays() {
        assertThat(Processor.of("vendor_id\t: GenuineIntel\nflags\t\t: fpu avx512f amx_bf16 amx_tile\n"))
                .isEqualTo(new Processor(true, true));
        assertThat(Processor.of("vendor_id\t: AuthenticAMD\nflags\t\t: fpu avx512f avx512_bf16\n"))
                .isEqualTo(Processor.OTHER);
        assertThat(Processor.of("Intel64 Family 6 Model 143 Stepping 8, GenuineIntel"))
                .isEqualTo(new Processor(true, false));
        assertThat(Processor.of("")).isEqualTo(Processor.OTHER);
    }

    /** oneDNN has but its reference kernel for them, which made full fine-tuning a hundred times slower. */
    @Test
    void matricesWithGapsAreCopiedBeforeOneDnnGetsThem() {
        String strides = """
                def strides(self, rows: int, columns: int, stride: int, apart: int) -> List[int]:
                  x = self.without_gaps(torch.zeros([64]).as_strided([rows, columns], [stride, apart]))
                  return [x.stride(0), x.stride(1)]
                """;
        SHARED.call(() -> {
            String methods = new KernelSource(List.of("linear_onednn"), "cpu").all() + strides;
            try (PtNDManager manager = (PtNDManager) Engine.getEngine("PyTorch").newBaseManager(Device.cpu());
                    Script script = Script.load(manager, methods)) {
                assertThat(strides(script, 3, 4, 4, 1)).as("by rows").containsExactly(4, 1);
                assertThat(strides(script, 3, 4, 1, 3)).as("by columns").containsExactly(1, 3);
                assertThat(strides(script, 3, 4, 9, 1)).as("part of rows").containsExactly(4, 1);
                assertThat(strides(script, 3, 4, 1, 8)).as("part of columns").containsExactly(4, 1);
            }
            return true;
        });
    }

    private static long[] strides(Script script, long... sizes) {
        IValue[] arguments = Arrays.stream(sizes).mapToObj(IValue::from).toArray(IValue[]::new);
        try (IValue found = script.call("strides", arguments)) {
            return found.toLongArray();
        } finally {
            Arrays.stream(arguments).forEach(IValue::close);
        }
    }

    @Test
    void aBiasWithGapsIsReadAsItIs() {
        Weight weight = SHARED.weight(HostTensor.filled(Shape.of(5, 12), 0), DType.F32);
        compute(session -> {
            Tensor bias =
                    randomTensor(session, DType.F32, 1, 5, 12).slice(1, 3, 4).reshape(5);
            Tensor x = randomTensor(session, DType.F32, 2, 2, 12);
            double[] expected = bias.toDoubles();
            double[] found = x.linear(weight, bias).toDoubles();
            for (int i = 0; i < found.length; i++) {
                assertThat(found[i]).isCloseTo(expected[i % 5], within(0.0));
            }
        });
        SHARED.free(weight);
    }
}
