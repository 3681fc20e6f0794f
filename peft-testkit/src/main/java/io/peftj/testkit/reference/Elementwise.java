package io.peftj.testkit.reference;

import io.peftj.core.tensor.CounterRandom;
import io.peftj.core.tensor.Dropout;
import io.peftj.core.tensor.Kernels.Binary;
import io.peftj.core.tensor.Kernels.Unary;
import io.peftj.core.tensor.Shape;
import java.util.function.DoubleUnaryOperator;

/** Functions of single elements, with broadcasting, and the sum that undoes broadcasting. */
final class Elementwise {
    private Elementwise() {}

    static Array map(Array x, DoubleUnaryOperator function) {
        Array y = Array.zeros(x.shape());
        for (int i = 0; i < y.size(); i++) {
            y.values()[i] = function.applyAsDouble(x.values()[i]);
        }
        return y;
    }

    static double apply(Unary operation, double x) {
        return switch (operation) {
            case EXP -> Math.exp(x);
            case LOG -> Math.log(x);
            case SQRT -> Math.sqrt(x);
            case ABS -> Math.abs(x);
            case SIGN -> Math.signum(x);
            case STEP -> x > 0 ? 1 : 0;
            case TANH -> Math.tanh(x);
            case SIGMOID -> Activations.sigmoid(x);
        };
    }

    static Array binary(Binary operation, Array a, Array b) {
        Shape shape = broadcast(a.shape(), b.shape());
        int[] fromA = sources(a.shape(), shape);
        int[] fromB = sources(b.shape(), shape);
        Array y = Array.zeros(shape);
        for (int i = 0; i < y.size(); i++) {
            y.values()[i] = apply(operation, a.values()[fromA[i]], b.values()[fromB[i]]);
        }
        return y;
    }

    private static double apply(Binary operation, double a, double b) {
        return switch (operation) {
            case ADD -> a + b;
            case SUBTRACT -> a - b;
            case MULTIPLY -> a * b;
            case DIVIDE -> a / b;
            case EQUAL -> a == b ? 1 : 0;
        };
    }

    /** Adds up what was read from one place in broadcasting. */
    static Array sumTo(Array x, Shape shape) {
        int[] to = sources(shape, x.shape());
        Array y = Array.zeros(shape);
        for (int i = 0; i < x.size(); i++) {
            y.values()[to[i]] += x.values()[i];
        }
        return y;
    }

    static Array dropout(Array x, Dropout dropout) {
        int features = x.dim(1);
        Array y = Array.zeros(x.shape());
        for (int token = 0; token < x.dim(0); token++) {
            long threshold = dropout.thresholds().get(token);
            double scale = 65536.0 / (65536 - threshold);
            for (int feature = 0; feature < features; feature++) {
                int draw = CounterRandom.draw16(dropout.tokenKeys().get(token), dropout.site(), feature);
                int i = token * features + feature;
                y.values()[i] = draw < threshold ? 0 : x.values()[i] * scale;
            }
        }
        return y;
    }

    /** The shape of a result: of each axis, counted from the last, the size that is not 1. */
    private static Shape broadcast(Shape a, Shape b) {
        int[] dims = new int[Math.max(a.rank(), b.rank())];
        for (int back = 1; back <= dims.length; back++) {
            int ofA = back <= a.rank() ? a.dim(-back) : 1;
            int ofB = back <= b.rank() ? b.dim(-back) : 1;
            dims[dims.length - back] = ofA == 1 ? ofB : ofA;
        }
        return Shape.of(dims);
    }

    /** For each place of the larger shape, row-major, the place that it reads in the smaller one. */
    private static int[] sources(Shape smaller, Shape larger) {
        int[] sources = new int[Math.toIntExact(larger.size())];
        int largerStride = 1;
        int smallerStride = 1;
        for (int back = 1; back <= smaller.rank(); back++) {
            int size = larger.dim(-back);
            if (smaller.dim(-back) != 1) {
                for (int i = 0; i < sources.length; i++) {
                    sources[i] += i / largerStride % size * smallerStride;
                }
                smallerStride *= smaller.dim(-back);
            }
            largerStride *= size;
        }
        return sources;
    }
}
