package io.peftj.methods.reft;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** A member of the family: what is added to an edited state h. R [r, d] has orthonormal rows. */
public enum ReftVariant {
    /** Rᵀ(Wh + b − Rh). */
    LOREFT(true, true),
    /** W₂ᵀ(W₁h + b). */
    DIREFT(false, true),
    /** W₂ᵀ(W₁h + b − W₂h). */
    NOREFT(false, true),
    /** Rᵀ(b − Rh): the state's part in the subspace becomes a constant. */
    CONSREFT(true, false),
    /** Rᵀb: a bias in the subspace. */
    LOBIREFT(true, false);

    private final boolean orthonormal;
    private final boolean projected;

    ReftVariant(boolean orthonormal, boolean projected) {
        this.orthonormal = orthonormal;
        this.projected = projected;
    }

    /** Whether the matrix that leads back into the residual stream has orthonormal rows. */
    boolean isOrthonormal() {
        return orthonormal;
    }

    /** Whether there is a W. */
    boolean hasWeight() {
        return projected;
    }

    /** The name in files, such as "loreft". */
    public String key() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The member of a name; empty if there is none. */
    public static Optional<ReftVariant> named(String key) {
        return Arrays.stream(values())
                .filter(variant -> variant.key().equals(key))
                .findFirst();
    }
}
