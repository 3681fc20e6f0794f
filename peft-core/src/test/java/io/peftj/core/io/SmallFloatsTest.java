package io.peftj.core.io;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SmallFloatsTest {
    @Test
    void everyHalfHasTheValueOfItsFields() {
        for (int bits = 0; bits < 1 << 16; bits++) {
            int exponent = (bits >> 10) & 31;
            int fraction = bits & 1023;
            double sign = bits >= 1 << 15 ? -1 : 1;
            double expected = switch (exponent) {
                case 0 -> sign * Math.scalb(fraction / 1024.0, -14);
                case 31 -> fraction == 0 ? sign / 0.0 : Double.NaN;
                default -> sign * Math.scalb(1 + fraction / 1024.0, exponent - 15);
            };
            assertThat(Float.compare(SmallFloats.fromF16((short) bits), (float) expected))
                    .as("half %04x", bits)
                    .isZero();
        }
    }

    @Test
    void everyBf16SurvivesTheWayThroughSinglePrecision() {
        for (int bits = 0; bits < 1 << 16; bits++) {
            float value = SmallFloats.fromBf16((short) bits);
            if (!Float.isNaN(value)) {
                assertThat(SmallFloats.toBf16(value)).as("bf16 %04x", bits).isEqualTo((short) bits);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "3f800000, 3f80", // 1
        "3f808000, 3f80", // halfway, to even
        "3f818000, 3f82", // halfway, to even
        "3f808001, 3f81",
        "3f807fff, 3f80",
        "bf808001, bf81",
        "7f7fffff, 7f80", // the largest finite value is nearer to what would follow bf16's largest
        "7f800001, 7fc0", // a NaN whose fraction lies in the lower half
    })
    void bf16IsRoundedToTheNearestTiesToEven(String single, String expected) {
        float value = Float.intBitsToFloat((int) Long.parseLong(single, 16));

        assertThat(SmallFloats.toBf16(value)).isEqualTo((short) Integer.parseInt(expected, 16));
    }
}
