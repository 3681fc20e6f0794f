package io.peftj.core.tensor;

import java.util.Arrays;

/** An immutable matrix of doubles in Java's memory, for {@link LinearAlgebra}. */
public final class Matrix {
    private final int rows;
    private final int columns;
    private final double[] values;

    private Matrix(int rows, int columns, double[] values) {
        this.rows = rows;
        this.columns = columns;
        this.values = values;
    }

    /**
     * Wraps an array, which is handed over.
     *
     * @param values row-major
     * @throws IllegalArgumentException if the array has another length than the matrix
     */
    public static Matrix of(int rows, int columns, double... values) {
        if (rows * columns != values.length) {
            throw new IllegalArgumentException("a matrix [" + rows + ", " + columns + "] has " + rows * columns
                    + " elements, but " + values.length + " values were given");
        }
        return new Matrix(rows, columns, values);
    }

    /** A matrix of zeros. */
    public static Matrix zeros(int rows, int columns) {
        return new Matrix(rows, columns, new double[rows * columns]);
    }

    /** The values of a tensor with two axes. */
    public static Matrix of(HostTensor tensor) {
        if (tensor.shape().rank() != 2) {
            throw new IllegalArgumentException("a matrix has two axes, found shape " + tensor.shape());
        }
        double[] values = new double[tensor.values().length];
        for (int i = 0; i < values.length; i++) {
            values[i] = tensor.values()[i];
        }
        return new Matrix(tensor.shape().dim(0), tensor.shape().dim(1), values);
    }

    /** Number of rows. */
    public int rows() {
        return rows;
    }

    /** Number of columns. */
    public int columns() {
        return columns;
    }

    /** An element. */
    public double get(int row, int column) {
        return values[row * columns + column];
    }

    /** The elements, row-major: the array itself, not to be written to. */
    public double[] values() {
        return values;
    }

    /** This · other. */
    public Matrix times(Matrix other) {
        if (columns != other.rows) {
            throw new IllegalArgumentException(this + " · " + other + ": the inner sizes differ");
        }
        double[] product = new double[rows * other.columns];
        for (int i = 0; i < rows; i++) {
            for (int k = 0; k < columns; k++) {
                double factor = values[i * columns + k];
                int to = i * other.columns;
                int from = k * other.columns;
                for (int j = 0; j < other.columns; j++) {
                    product[to + j] += factor * other.values[from + j];
                }
            }
        }
        return new Matrix(rows, other.columns, product);
    }

    /** Rows and columns exchanged. */
    public Matrix transpose() {
        double[] transposed = new double[values.length];
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < columns; j++) {
                transposed[j * rows + i] = values[i * columns + j];
            }
        }
        return new Matrix(columns, rows, transposed);
    }

    /** Rows from, from + step, from + 2·step and so on. */
    public Matrix everyRow(int from, int step) {
        int count = (rows - from + step - 1) / step;
        double[] chosen = new double[count * columns];
        for (int i = 0; i < count; i++) {
            System.arraycopy(values, (from + i * step) * columns, chosen, i * columns, columns);
        }
        return new Matrix(count, columns, chosen);
    }

    /** The first rows. */
    public Matrix firstRows(int count) {
        return new Matrix(count, columns, Arrays.copyOf(values, count * columns));
    }

    /** The last rows. */
    public Matrix lastRows(int count) {
        return new Matrix(count, columns, Arrays.copyOfRange(values, (rows - count) * columns, values.length));
    }

    /** The first columns. */
    public Matrix firstColumns(int count) {
        return transpose().firstRows(count).transpose();
    }

    /** The rows of this and then of another. */
    public Matrix above(Matrix other) {
        if (columns != other.columns) {
            throw new IllegalArgumentException(this + " above " + other + ": the numbers of columns differ");
        }
        double[] both = Arrays.copyOf(values, values.length + other.values.length);
        System.arraycopy(other.values, 0, both, values.length, other.values.length);
        return new Matrix(rows + other.rows, columns, both);
    }

    /** The columns of this and then of another. */
    public Matrix beside(Matrix other) {
        return transpose().above(other.transpose()).transpose();
    }

    /** Row i times factor i. */
    public Matrix scaleRows(double... factors) {
        double[] scaled = values.clone();
        for (int i = 0; i < scaled.length; i++) {
            scaled[i] *= factors[i / columns];
        }
        return new Matrix(rows, columns, scaled);
    }

    /** Column j times factor j. */
    public Matrix scaleColumns(double... factors) {
        double[] scaled = values.clone();
        for (int i = 0; i < scaled.length; i++) {
            scaled[i] *= factors[i % columns];
        }
        return new Matrix(rows, columns, scaled);
    }

    /** All elements times a factor. */
    public Matrix times(double factor) {
        double[] scaled = values.clone();
        for (int i = 0; i < scaled.length; i++) {
            scaled[i] *= factor;
        }
        return new Matrix(rows, columns, scaled);
    }

    /** The values rounded to single precision. */
    public HostTensor toHost() {
        float[] rounded = new float[values.length];
        for (int i = 0; i < rounded.length; i++) {
            rounded[i] = (float) values[i];
        }
        return HostTensor.of(Shape.of(rows, columns), rounded);
    }

    /**
     * This, if all elements are finite.
     *
     * @throws IllegalArgumentException if not
     */
    public Matrix requireFinite(String operation) {
        for (double value : values) {
            if (!Double.isFinite(value)) {
                throw new IllegalArgumentException(
                        operation + ": expected finite numbers, found " + value + " in " + this);
            }
        }
        return this;
    }

    @Override
    public String toString() {
        return "Matrix[" + rows + ", " + columns + "]";
    }
}
