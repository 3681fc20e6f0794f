package io.peftj.methods.pedro;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Coefficients with which Σ aᵢxⁱ / (1 + |Σ bⱼxʲ|) is like a usual activation on [−3, 3]: fitted by least squares on 601 points (RationalFit among the
 * tests), those of the GELU of degrees 5 and 4 as published with the method. Outside the range such functions run away.
 */
@SuppressWarnings("ImmutableEnumChecker") // its lists are immutable
public enum RationalStart {
    /** Within 1e-3, and 2e-4 of degrees 6 and 5. */
    GELU(
            coefficients(
                    List.of(-4.2210715e-4, 0.49999956, 0.40270535, 0.07366977, -0.01295479, -0.00374140),
                    List.of(4.9585e-5, 0.14729774, 1.1646e-5, -0.00748387)),
            coefficients(
                    List.of(2.8315619e-5, 0.5, 0.39849804, 0.162534455, 0.064246673, 0.018369187, 0.0021048975),
                    List.of(0.0, 0.32506891, 0.0, 0.036738374, 0.0))),
    /** Within 0.035, most at its kink, and 0.02 of degrees 6 and 5. */
    RELU(
            coefficients(
                    List.of(0.033921833, 0.5, 1.6679946, 1.9846695, 0.93730866, 0.15003695),
                    List.of(0.0, 3.9693391, 0.0, 0.3000739)),
            coefficients(
                    List.of(0.019556663, 0.5, 2.9041127, 6.1620028, 5.610039, 2.2280679, 0.31655066),
                    List.of(0.0, 12.324006, 0.0, 4.4561358, 0.0))),
    /** Within 2e-6. */
    SILU(
            coefficients(
                    List.of(3.2944753e-7, 0.5, 0.24999734, 0.053264411, 0.0058022051, 2.750876e-4),
                    List.of(0.0, 0.10652882, 0.0, 5.501752e-4)),
            coefficients(
                    List.of(
                            1.8814570e-9,
                            0.499999998,
                            0.249442409,
                            0.0551508978,
                            0.00682219269,
                            4.77175784e-4,
                            1.52480188e-5),
                    List.of(-0.00111513959, 0.110859351, -1.18695915e-4, 9.6724784e-4, -6.07832633e-7))),
    /** Within 4e-3, and 5e-5 of degrees 6 and 5. */
    MISH(
            coefficients(
                    List.of(0.0019177726, 0.60355095, 0.28254672, 0.019714555, -0.01459216, -0.0029530322),
                    List.of(-0.050422992, 0.095804678, -0.010021328, -0.0054436697)),
            coefficients(
                    List.of(-3.3400885e-6, 0.60004021, 0.31153009, 0.09016986, 0.023778824, 0.0045793821, 3.9129179e-4),
                    List.of(-0.014185663, 0.18475528, 0.017287701, 0.0026351466, 6.9687432e-4)));

    /** The range that the coefficients were fitted on is [−3, 3]. */
    static final double BOUND = 3;
    /** The degrees that a file need not say. */
    static final List<Integer> USUAL_DEGREES = List.of(5, 4);
    /** Degrees of numerator and denominator that there are coefficients for. */
    static final List<List<Integer>> DEGREES = List.of(USUAL_DEGREES, List.of(6, 5));

    private final Coefficients usual;
    private final Coefficients higher;

    RationalStart(Coefficients usual, Coefficients higher) {
        this.usual = usual;
        this.higher = higher;
    }

    /** a from a₀ and b from b₁ on. */
    record Coefficients(List<Double> numerator, List<Double> denominator) {}

    private static Coefficients coefficients(List<Double> numerator, List<Double> denominator) {
        return new Coefficients(numerator, denominator);
    }

    /** Those of {@link #DEGREES}. */
    Coefficients coefficients(int numeratorDegree, int denominatorDegree) {
        return List.of(numeratorDegree, denominatorDegree).equals(USUAL_DEGREES) ? usual : higher;
    }

    /** The name, such as "gelu". */
    public String key() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The start of a name; empty if there is none. */
    public static Optional<RationalStart> named(String key) {
        return Arrays.stream(values()).filter(start -> start.key().equals(key)).findFirst();
    }
}
