package io.peftj.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.peftj.core.tensor.CounterRandom;
import io.peftj.core.tensor.LinearAlgebra;
import io.peftj.core.tensor.Matrix;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a backend's decompositions must be. Extend it and override the factory. */
public abstract class LinearAlgebraContract {
    private static final double TOLERANCE = 1e-11;

    /** The decompositions under test. */
    protected abstract LinearAlgebra algebra();

    @ParameterizedTest
    @CsvSource({"7,4", "4,7", "5,5", "1,6", "6,1", "1,1", "40,33"})
    void singularValueDecompositionsAreThinOrderedAndExact(int rows, int columns) {
        Matrix a = random(rows, columns);

        LinearAlgebra.Svd svd = algebra().svd(a);

        int smaller = Math.min(rows, columns);
        assertThat(svd.left().toString()).isEqualTo("Matrix[" + rows + ", " + smaller + "]");
        assertThat(svd.values().toString()).isEqualTo("Matrix[" + smaller + ", 1]");
        assertThat(svd.right().toString()).isEqualTo("Matrix[" + smaller + ", " + columns + "]");
        double[] falling = svd.values().values().clone();
        Arrays.sort(falling);
        for (int i = 0; i < smaller; i++) {
            assertThat(svd.values().get(i, 0))
                    .isEqualTo(falling[smaller - 1 - i])
                    .isNotNegative();
        }
        assertOrthonormal(svd.left());
        assertOrthonormal(svd.right().transpose());
        assertSame(svd.left().scaleColumns(svd.values().values()).times(svd.right()), a);
    }

    @ParameterizedTest
    @CsvSource({"7,4", "4,7", "5,5", "1,6", "6,1", "1,1", "40,33"})
    void orthogonalTriangularDecompositionsAreThinAndExact(int rows, int columns) {
        Matrix a = random(rows, columns);

        LinearAlgebra.Qr qr = algebra().qr(a);

        int smaller = Math.min(rows, columns);
        assertThat(qr.q().toString()).isEqualTo("Matrix[" + rows + ", " + smaller + "]");
        assertThat(qr.r().toString()).isEqualTo("Matrix[" + smaller + ", " + columns + "]");
        for (int i = 0; i < smaller; i++) {
            for (int j = 0; j < i; j++) {
                assertThat(qr.r().get(i, j)).isZero();
            }
        }
        assertOrthonormal(qr.q());
        assertSame(qr.q().times(qr.r()), a);
    }

    @Test
    void matricesOfLowerRankAreDecomposedToo() {
        Matrix a = random(8, 2).times(random(2, 5));

        LinearAlgebra.Svd svd = algebra().svd(a);

        assertThat(svd.values().get(2, 0)).isCloseTo(0, within(TOLERANCE));
        assertSame(svd.left().scaleColumns(svd.values().values()).times(svd.right()), a);
        LinearAlgebra.Qr qr = algebra().qr(a);
        assertSame(qr.q().times(qr.r()), a);
    }

    @Test
    void whatIsNotFiniteIsRefused() {
        Matrix broken = Matrix.of(2, 2, 1, 2, Double.NaN, 4);

        assertThatThrownBy(() -> algebra().svd(broken))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("svd: expected finite numbers, found NaN in Matrix[2, 2]");
        assertThatThrownBy(() -> algebra().qr(broken))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("qr: expected finite numbers, found NaN in Matrix[2, 2]");
    }

    private static Matrix random(int rows, int columns) {
        CounterRandom random = CounterRandom.of(CounterRandom.key(rows, columns));
        double[] values = new double[rows * columns];
        Arrays.setAll(values, i -> random.nextGaussian());
        return Matrix.of(rows, columns, values);
    }

    private static void assertOrthonormal(Matrix q) {
        Matrix product = q.transpose().times(q);
        for (int i = 0; i < product.rows(); i++) {
            for (int j = 0; j < product.columns(); j++) {
                assertThat(product.get(i, j)).isCloseTo(i == j ? 1 : 0, within(TOLERANCE));
            }
        }
    }

    private static void assertSame(Matrix found, Matrix expected) {
        assertThat(found.toString()).isEqualTo(expected.toString());
        assertThat(found.values()).containsExactly(expected.values(), within(TOLERANCE));
    }
}
