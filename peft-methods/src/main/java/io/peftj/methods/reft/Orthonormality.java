package io.peftj.methods.reft;

import io.peftj.core.IncompatibleAdapterException;
import io.peftj.core.tensor.HostTensor;
import java.util.Locale;

/** How far the rows of a matrix R [r, d] are from orthonormal ones, and how far rounding can have moved them. */
final class Orthonormality {
    /** What training and saving in single precision stay under by far. */
    private static final double EXACT = 1e-4;

    private Orthonormality() {}

    /**
     * Refuses a matrix whose rows are not orthonormal within what its number format allows.
     *
     * @param name the parameter's, for the message
     */
    static void require(String name, HostTensor r, ReftVariant variant) {
        double allowed = allowed(r);
        double found = deviation(r);
        if (!(found <= allowed)) { // so that NaN is refused too
            String free = variant == ReftVariant.LOREFT
                    ? ", or, if it is meant to be free, say \"variant\": \"noreft\" in adapter_config.json"
                    : "";
            throw new IncompatibleAdapterException("the adapter's " + name
                    + ": expected orthonormal rows, no element of |R·Rᵀ − 1| over " + shown(allowed) + ", found "
                    + shown(found) + "; save the adapter anew where it was trained" + free);
        }
    }

    /** Whether the rows are orthonormal within what the number format allows. */
    static boolean holds(HostTensor r) {
        return deviation(r) <= allowed(r);
    }

    /** The largest element of |R·Rᵀ − 1|; NaN if there is one. */
    static double deviation(HostTensor r) {
        int rows = r.shape().dim(0);
        int width = r.shape().dim(1);
        float[] values = r.values();
        double largest = 0;
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j <= i; j++) {
                double product = i == j ? -1 : 0;
                for (int k = 0; k < width; k++) {
                    product += (double) values[i * width + k] * values[j * width + k];
                }
                largest = Math.max(largest, Math.abs(product)); // keeps NaN
            }
        }
        return largest;
    }

    /**
     * Rounding each element by a share u at most moves an element of R·Rᵀ by 2u Σ|rᵢₖ||rⱼₖ| + u²Σ|rᵢₖ||rⱼₖ|, and so by 2u + u² at most, since rows have
     * length one. Files of single precision often hold values that were bfloat16 or half ones before: the values tell.
     */
    private static double allowed(HostTensor r) {
        double u = 0;
        if (isBf16(r.values())) {
            u = 0x1p-8;
        } else if (isF16(r.values())) {
            u = 0x1p-11;
        }
        return EXACT + 2 * u + u * u;
    }

    private static boolean isBf16(float... values) {
        for (float value : values) {
            if ((Float.floatToRawIntBits(value) & 0xFFFF) != 0) {
                return false;
            }
        }
        return true;
    }

    /** Below 2⁻¹⁴ multiples of 2⁻²⁴, whose rounding matters to nobody. */
    private static boolean isF16(float... values) {
        for (float value : values) {
            boolean normal = Math.abs(value) >= 0x1p-14f;
            float scaled = value * 0x1p24f;
            if (normal ? (Float.floatToRawIntBits(value) & 0x1FFF) != 0 : scaled != Math.rint(scaled)) {
                return false;
            }
        }
        return true;
    }

    private static String shown(double number) {
        return String.format(Locale.ROOT, "%.1e", number);
    }
}
