package io.peftj.methods.reft;

import io.peftj.core.InvalidFileException;
import io.peftj.core.io.StoredTensor;
import io.peftj.core.io.TensorSource;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Matrix;
import io.peftj.core.tensor.Shape;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The classes of pyreft's interventions.py, with what their state_dicts hold and which member of the family they are. */
enum PyreftIntervention {
    /** h + Rᵀ(Wh + b − Rh); its file holds Rᵀ itself. */
    LOREFT("LoreftIntervention", ReftVariant.LOREFT) {
        @Override
        Parameters read(TensorSource file) {
            HostTensor rotate = matrix(file, "rotate_layer").transposed();
            return checked(file, rotate, matrix(file, "weight"), vector(file, "bias"));
        }
    },
    /** h + Rᵀ(Wh + b): here the matrix that leads back is free, so that R is one of those it can be. */
    DIREFT("DireftIntervention", ReftVariant.DIREFT) {
        @Override
        Parameters read(TensorSource file) {
            return checked(file, rotation(file), matrix(file, SOURCE), vector(file, SOURCE_BIAS));
        }
    },
    /** h + W₂ᵀ(W₁h + b). */
    NODIREFT("NodireftIntervention", ReftVariant.DIREFT) {
        @Override
        Parameters read(TensorSource file) {
            return checked(file, matrix(file, PROJECTION), matrix(file, SOURCE), vector(file, SOURCE_BIAS));
        }
    },
    /** h + W₂ᵀ(W₁h + b₁ − W₂h − b₂): one bias b₁ − b₂ does the same; b₂ is not always there. */
    NOREFT("NoreftIntervention", ReftVariant.NOREFT) {
        @Override
        Parameters read(TensorSource file) {
            HostTensor bias = vector(file, SOURCE_BIAS);
            if (file.contains(PROJECTION_BIAS)) {
                bias = minus(bias, vector(file, PROJECTION_BIAS));
            }
            return checked(file, matrix(file, PROJECTION), matrix(file, SOURCE), bias);
        }
    },
    /** h + Rᵀ(b − Rh). */
    CONSREFT("ConsreftIntervention", ReftVariant.CONSREFT) {
        @Override
        Parameters read(TensorSource file) {
            return checked(file, rotation(file), null, vector(file, "learned_source"));
        }
    },
    /** h + Rᵀb. */
    LOBIREFT("LobireftIntervention", ReftVariant.LOBIREFT) {
        @Override
        Parameters read(TensorSource file) {
            return checked(file, rotation(file), null, vector(file, "learned_source"));
        }
    };

    private static final String SOURCE = "learned_source.weight";
    private static final String SOURCE_BIAS = "learned_source.bias";
    private static final String PROJECTION = "proj_layer.weight";
    private static final String PROJECTION_BIAS = "proj_layer.bias";
    private static final String FREE = "rotate_layer.parametrizations.weight.original";
    private static final String BASE = "rotate_layer.parametrizations.weight.0.base";

    private final String className;
    private final ReftVariant variant;

    PyreftIntervention(String className, ReftVariant variant) {
        this.className = className;
        this.variant = variant;
    }

    /**
     * An intervention's parameters as this library's files hold them.
     *
     * @param rotate R or W₂ [r, d]
     * @param weight W or W₁ [r, d]; null for none
     * @param bias b [r]
     */
    record Parameters(HostTensor rotate, @Nullable HostTensor weight, HostTensor bias) {
        void addTo(Map<String, HostTensor> all, String prefix) {
            all.put(prefix + "rotate", rotate);
            if (weight != null) {
                all.put(prefix + "weight", weight);
            }
            all.put(prefix + "bias", bias);
        }
    }

    /** Reads a file of this class. */
    abstract Parameters read(TensorSource file);

    String className() {
        return className;
    }

    ReftVariant variant() {
        return variant;
    }

    static Optional<PyreftIntervention> named(String className) {
        return Arrays.stream(values())
                .filter(type -> type.className.equals(className))
                .findFirst();
    }

    static List<String> names() {
        return Arrays.stream(values()).map(PyreftIntervention::className).toList();
    }

    /**
     * R of what torch.nn.utils.parametrizations.orthogonal keeps: Rᵀ = base·Q·sign, Q [d, r] the product of r Householder reflections, whose vectors
     * stand below the diagonal of the free matrix X [d, r], and sign its diagonal.
     */
    private static HostTensor rotation(TensorSource file) {
        Matrix x = Matrix.of(matrix(file, FREE));
        Matrix base = Matrix.of(matrix(file, BASE));
        int width = x.rows();
        int rank = x.columns();
        if (rank >= width || base.rows() != width || base.columns() != width) {
            throw new InvalidFileException(
                    file.description() + ": expected " + FREE + " [d, r] with r below d and " + BASE + " [d, d], found "
                            + x + " and " + base + "; rotations of the whole width are not converted");
        }
        Matrix q = identity(width, rank);
        for (int i = rank - 1; i >= 0; i--) {
            q = reflected(q, x, i);
        }
        double[] signs = new double[rank];
        for (int i = 0; i < rank; i++) {
            signs[i] = (int) x.get(i, i);
        }
        return base.times(q).scaleColumns(signs).transpose().toHost();
    }

    /** (1 − τvvᵀ)q with v = (0 …, 1 at i, X's column i below), τ = 2 / (1 + |X's column i below|²), as LAPACK keeps reflections. */
    private static Matrix reflected(Matrix q, Matrix x, int i) {
        double[] v = new double[x.rows()];
        v[i] = 1;
        double length = 1;
        for (int row = i + 1; row < v.length; row++) {
            v[row] = x.get(row, i);
            length += v[row] * v[row];
        }
        Matrix column = Matrix.of(v.length, 1, v);
        Matrix change = column.times(column.transpose().times(q)).times(-2 / length);
        double[] sum = q.values().clone();
        Arrays.setAll(sum, k -> sum[k] + change.values()[k]);
        return Matrix.of(q.rows(), q.columns(), sum);
    }

    private static Matrix identity(int rows, int columns) {
        double[] values = new double[rows * columns];
        for (int i = 0; i < columns; i++) {
            values[i * columns + i] = 1;
        }
        return Matrix.of(rows, columns, values);
    }

    private static HostTensor minus(HostTensor a, HostTensor b) {
        float[] difference = new float[a.values().length];
        for (int i = 0; i < difference.length; i++) {
            difference[i] = a.values()[i] - b.values()[i];
        }
        return HostTensor.of(a.shape(), difference);
    }

    private static HostTensor matrix(TensorSource file, String name) {
        return ofRank(file.find(name), 2);
    }

    private static HostTensor vector(TensorSource file, String name) {
        return ofRank(file.find(name), 1);
    }

    private static HostTensor ofRank(StoredTensor tensor, int rank) {
        if (tensor.shape().rank() != rank || tensor.shape().size() == 0) {
            throw new InvalidFileException(tensor + ": expected " + (rank == 1 ? "a vector" : "a matrix")
                    + "; check that pyreft wrote the file");
        }
        return tensor.toHostTensor();
    }

    private static Parameters checked(
            TensorSource file, HostTensor rotate, @Nullable HostTensor weight, HostTensor bias) {
        boolean fits = bias.shape().equals(Shape.of(rotate.shape().dim(0)))
                && (weight == null || weight.shape().equals(rotate.shape()));
        if (!fits) {
            throw new InvalidFileException(
                    file.description() + ": expected a rotation and a weight of one shape [r, d] and"
                            + " a bias [r], found " + rotate.shape() + ", " + (weight == null ? "none" : weight.shape())
                            + " and "
                            + bias.shape() + "; check that pyreft wrote the file");
        }
        return new Parameters(rotate, weight, bias);
    }
}
