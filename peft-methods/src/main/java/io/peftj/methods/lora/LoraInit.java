package io.peftj.methods.lora;

import com.google.gson.JsonPrimitive;
import io.peftj.core.InvalidConfigException;
import io.peftj.core.adapter.BaseValues;
import io.peftj.core.adapter.InitialiseContext;
import io.peftj.core.tensor.CounterRandom;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.LinearAlgebra.Qr;
import io.peftj.core.tensor.LinearAlgebra.Svd;
import io.peftj.core.tensor.Matrix;
import io.peftj.core.tensor.Shape;
import java.util.Arrays;
import java.util.Optional;

/** How the low-rank matrices start, as PEFT's init_lora_weights. */
public enum LoraInit {
    /** A uniform, B zero: the adapter starts as an identity. The default, "true" in the file. */
    ZERO_DELTA,
    /** A and B uniform: the adapter starts with a random delta, "false" in the file. For tests alone. */
    RANDOM,
    /** A normal with a deviation of 1 / rank, B zero. */
    GAUSSIAN,
    /** A and B from rows of one orthogonal matrix, neither of them zero, so that BA is zero; the rank is even. */
    ORTHOGONAL,
    /**
     * A and B from the greatest singular values of the base's matrix (arXiv 2404.02948). The delta is s·(BA − B₀A₀): the base stays as it is, and the
     * adapter starts as an identity.
     */
    PISSA,
    /** A and B from the QR decomposition of the base's matrix (arXiv 2406.01775), with the delta of {@link #PISSA}. */
    OLORA;

    /** What ORTHOGONAL's matrices are divided by. */
    private static final double ORTHOGONAL_SPREAD = 10;

    /** The start that PEFT calls so: "true", "false", "gaussian", "orthogonal", "pissa" or "olora". */
    public static Optional<LoraInit> named(String name) {
        return Arrays.stream(values())
                .filter(init -> init.key().getAsString().equalsIgnoreCase(name))
                .findFirst();
    }

    /** The value in adapter_config.json. */
    JsonPrimitive key() {
        return switch (this) {
            case ZERO_DELTA -> new JsonPrimitive(true);
            case RANDOM -> new JsonPrimitive(false);
            case GAUSSIAN -> new JsonPrimitive("gaussian");
            case ORTHOGONAL -> new JsonPrimitive("orthogonal");
            case PISSA -> new JsonPrimitive("pissa");
            case OLORA -> new JsonPrimitive("olora");
        };
    }

    /** Whether the matrices start as a part of the base's own, which the delta is without. */
    boolean isOfBase() {
        return this == PISSA || this == OLORA;
    }

    /**
     * Checks that a layer's matrices can start so.
     *
     * @throws InvalidConfigException if not
     */
    void check(String site, int rank, int smallerSide) {
        if (this == ORTHOGONAL && rank % 2 != 0) {
            throw new InvalidConfigException("init_lora_weights " + key() + ": expected an even rank, found " + rank
                    + " for " + site + "; make it " + (rank + 1) + ", or start otherwise");
        }
        if (isOfBase() && rank > smallerSide) {
            throw new InvalidConfigException("init_lora_weights " + key() + ": expected a rank of at most the "
                    + smallerSide + " that the matrix of " + site + " has, found " + rank
                    + "; lower the rank there, with rank_pattern if need be");
        }
    }

    /** Unscaled A [rank, in] and B [out, rank]. */
    record Matrices(HostTensor a, HostTensor b) {
        /** W + scale · BA [out, in]. */
        HostTensor addedTo(HostTensor weight, double scale) {
            float[] sum = weight.values().clone();
            if (!isZero(b)) {
                Matrix product = Matrix.of(b).times(Matrix.of(a));
                for (int i = 0; i < sum.length; i++) {
                    sum[i] += (float) (scale * product.values()[i]);
                }
            }
            return HostTensor.of(weight.shape(), sum);
        }

        private static boolean isZero(HostTensor tensor) {
            for (float value : tensor.values()) {
                if (value != 0) {
                    return false;
                }
            }
            return true;
        }
    }

    /** Initial matrices of a linear layer. */
    Matrices start(LinearTarget target, InitialiseContext context) {
        Shape a = target.a().shape();
        Shape b = target.b().shape();
        CounterRandom random = context.random(target.a().name());
        return switch (this) {
            case ZERO_DELTA -> new Matrices(uniform(random, a), HostTensor.filled(b, 0));
            case RANDOM ->
                new Matrices(
                        uniform(random, a), uniform(context.random(target.b().name()), b));
            case GAUSSIAN -> new Matrices(random.normal(a, 1.0 / target.rank()), HostTensor.filled(b, 0));
            case ORTHOGONAL -> orthogonal(target, context);
            case PISSA, OLORA -> ofBase(target, context);
        };
    }

    /** Kaiming's uniform initialisation with a = √5 is ±1/√in, as for PyTorch's Linear. */
    private static HostTensor uniform(CounterRandom random, Shape shape) {
        return random.uniform(shape, 1 / Math.sqrt(shape.dim(1)));
    }

    /** With a random orthogonal matrix, A is a mixture of its even rows and B of its odd ones, which have nothing in common. */
    private static Matrices orthogonal(LinearTarget target, InitialiseContext context) {
        int rank = target.rank();
        Matrix any = Matrix.of(context.random(target.a().name() + " rotation").normal(Shape.of(rank, rank), 1));
        Matrix q = context.linearAlgebra().qr(any).q();
        CounterRandom ofA = context.random(target.a().name());
        CounterRandom ofB = context.random(target.b().name());
        Matrix a = Matrix.of(ofA.normal(Shape.of(target.site().in(), rank / 2), 1 / ORTHOGONAL_SPREAD))
                .times(q.everyRow(0, 2));
        Matrix b = Matrix.of(ofB.normal(Shape.of(target.site().out(), rank / 2), 1 / ORTHOGONAL_SPREAD))
                .times(q.everyRow(1, 2));
        return new Matrices(a.transpose().toHost(), b.toHost());
    }

    /** The part A₀, B₀ of the base's matrix: the same at every time, so that it can be told from what was learnt. */
    Matrices ofBase(LinearTarget target, BaseValues values) {
        int rank = target.rank();
        String weight = target.site().weightName();
        String name = key().getAsString() + " of " + weight + " with rank " + rank + " and scale " + target.scale();
        HostTensor both = values.once(name, () -> {
            Matrix w = Matrix.of(values.base(weight));
            return this == PISSA
                    ? principal(values.linearAlgebra().svd(w), rank, target.scale())
                    : triangular(values.linearAlgebra().qr(w), rank);
        });
        return apart(both, target.site().in());
    }

    /** B₀ = U_r·√(S_r/s), A₀ = √(S_r/s)·V_rᵀ. */
    private static HostTensor principal(Svd svd, int rank, double scale) {
        double[] roots = Arrays.stream(svd.values().values(), 0, rank)
                .map(value -> Math.sqrt(value / scale))
                .toArray();
        Matrix a = svd.right().firstRows(rank).scaleRows(roots);
        Matrix b = svd.left().firstColumns(rank).scaleColumns(roots);
        return above(a, b);
    }

    /** B₀ = Q_r, A₀ = R_r. */
    private static HostTensor triangular(Qr qr, int rank) {
        return above(qr.r().firstRows(rank), qr.q().firstColumns(rank));
    }

    /** Aᵀ and below it B [in + out, rank], to be kept under one name. */
    private static HostTensor above(Matrix a, Matrix b) {
        return a.transpose().above(b).toHost();
    }

    private static Matrices apart(HostTensor both, int in) {
        Matrix all = Matrix.of(both);
        return new Matrices(
                all.firstRows(in).transpose().toHost(),
                all.lastRows(all.rows() - in).toHost());
    }
}
