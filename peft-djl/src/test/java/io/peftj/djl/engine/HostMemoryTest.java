package io.peftj.djl.engine;

import static io.peftj.djl.engine.Engines.SHARED;
import static io.peftj.djl.engine.Engines.compute;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.Encoding;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Weight;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HostMemoryTest {
    private static final float[] VALUES = {1, -2, 0.5f, 384, 0, 1.5f};
    private static final int[] HALVES = {0x3C00, 0xC000, 0x3800, 0x5E00, 0, 0x3E00};

    @Test
    void singlesAndDoublesComeBackAsTheyWere() {
        compute(session -> {
            HostTensor values = HostTensor.of(Shape.of(2, 3), 1, -0f, Float.MIN_VALUE, 3.4e38f, 0.1f, -7);
            assertThat(session.tensor(values).toHost().values()).containsExactly(values.values());
            double[] doubles = {1e-300, Math.PI, -1};
            assertThat(session.tensor(doubles, Shape.of(3)).toDoubles()).containsExactly(doubles);
        });
    }

    @Test
    void bf16IsRoundedToNearestEven() {
        compute(session -> {
            HostTensor values = HostTensor.of(Shape.of(4), 1, 1 + 0x1p-8f, 1 + 0x3p-8f, 1 + 0x1.1p-8f);
            float[] rounded = session.tensor(values, DType.BF16).toHost().values();
            assertThat(rounded).containsExactly(1, 1, 1 + 0x1p-6f, 1 + 0x1p-7f);
        });
    }

    @Test
    void scalarsAndEmptyTensorsTravelToo() {
        compute(session -> {
            assertThat(session.tensor(HostTensor.of(Shape.SCALAR, 3)).toHost().values())
                    .containsExactly(3);
            assertThat(session.tensor(HostTensor.of(Shape.of(0, 4))).toHost().values())
                    .isEmpty();
            assertThat(session.index().buffer().isAlive()).isTrue();
        });
    }

    @Test
    void javasArrayMayChangeAfterTheUpload() {
        compute(session -> {
            float[] values = {1, 2};
            var tensor = session.tensor(HostTensor.of(Shape.of(2), values));
            values[0] = 99;
            assertThat(tensor.toHost().values()).containsExactly(1, 2);
        });
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aWeightIsReadFromAFilesBytesAtAnyOffset(boolean direct) {
        for (Encoding encoding : Encoding.values()) {
            ByteBuffer file = direct ? ByteBuffer.allocateDirect(64) : ByteBuffer.allocate(64);
            file.order(ByteOrder.LITTLE_ENDIAN).position(3);
            for (int i = 0; i < VALUES.length; i++) {
                put(file, encoding, i);
            }
            file.flip().position(3);
            for (DType dtype : DType.values()) {
                Weight weight = SHARED.weight(file, encoding, Shape.of(2, 3), dtype);
                assertThat(weight.dtype()).isEqualTo(dtype);
                assertThat(weight.outFeatures()).isEqualTo(2);
                assertThat(weight.inFeatures()).isEqualTo(3);
                assertThat(SHARED.dense(weight).values()).containsExactly(VALUES);
                SHARED.free(weight);
            }
        }
    }

    private static void put(ByteBuffer file, Encoding encoding, int i) {
        switch (encoding) {
            case F32 -> file.putFloat(VALUES[i]);
            case BF16 -> file.putShort((short) (Float.floatToIntBits(VALUES[i]) >>> 16));
            case F16 -> file.putShort((short) HALVES[i]);
        }
    }

    @Test
    void aWeightOfTheWrongSizeIsRefused() {
        assertThatThrownBy(() -> SHARED.weight(ByteBuffer.allocate(23), Encoding.F32, Shape.of(2, 3), DType.F32))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("a weight [2, 3] in F32 needs 24 bytes, found 23");
        assertThatThrownBy(() -> SHARED.weight(HostTensor.of(Shape.of(3), 1, 2, 3), DType.F32))
                .hasMessage("a weight is a matrix [out, in], found shape [3]");
    }
}
