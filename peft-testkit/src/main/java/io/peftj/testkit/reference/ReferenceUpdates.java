package io.peftj.testkit.reference;

import io.peftj.core.tensor.CacheLayout;
import io.peftj.core.tensor.Constant;
import io.peftj.core.tensor.Tensor;
import io.peftj.core.tensor.Updates;
import java.util.List;

/** AdamW and the norm, element by element. */
final class ReferenceUpdates implements Updates {
    private final Store store;

    ReferenceUpdates(Store store) {
        this.store = store;
    }

    @Override
    public void adamW(List<Moments> parameters, List<Tensor> gradients, List<AdamW> settings, long step) {
        if (gradients.size() != parameters.size() || settings.size() != parameters.size()) {
            throw new IllegalArgumentException("adamW: " + parameters.size() + " parameters, " + gradients.size()
                    + " gradients and " + settings.size() + " settings were given; expected as many of each");
        }
        for (int i = 0; i < parameters.size(); i++) {
            adamW(parameters.get(i), gradients.get(i), settings.get(i), step);
        }
    }

    private void adamW(Moments moments, Tensor gradient, AdamW set, long step) {
        if (!gradient.shape().equals(moments.parameter().shape())) {
            throw new IllegalArgumentException("adamW: a parameter of shape "
                    + moments.parameter().shape() + " was given a gradient of shape " + gradient.shape());
        }
        double[] p = values(moments.parameter());
        double[] m = values(moments.first());
        double[] v = values(moments.second());
        double[] g = Store.of(gradient.buffer()).array().values();
        double firstCorrection = 1 - Math.pow(set.beta1(), (double) step);
        double secondCorrection = 1 - Math.pow(set.beta2(), (double) step);
        for (int i = 0; i < p.length; i++) {
            double first = set.beta1() * m[i] + (1 - set.beta1()) * g[i];
            double second = set.beta2() * v[i] + (1 - set.beta2()) * g[i] * g[i];
            double decayed = p[i] * (1 - set.learningRate() * set.weightDecay());
            double denominator = Math.sqrt(second) / Math.sqrt(secondCorrection) + set.eps();
            write(moments.first(), i, first);
            write(moments.second(), i, second);
            write(moments.parameter(), i, decayed - set.learningRate() / firstCorrection * first / denominator);
        }
        moments.parameter().changed();
        moments.first().changed();
        moments.second().changed();
    }

    @Override
    public void store(Constant keys, Constant values, Tensor k, Tensor v, CacheLayout rows) {
        store(keys, k, rows);
        store(values, v, rows);
        keys.changed();
        values.changed();
    }

    private void store(Constant cache, Tensor x, CacheLayout rows) {
        int heads = cache.shape().dim(1);
        int capacity = cache.shape().dim(2);
        int width = cache.shape().dim(3);
        double[] from = Store.of(x.buffer()).array().values();
        for (int i = 0; i < from.length; i++) {
            int token = i / (heads * width);
            int head = i / width % heads;
            long slot = rows.slotOfToken().get(token);
            long place = (slot * heads + head) * capacity + rows.placeOfToken().get(token);
            write(cache, Math.toIntExact(place * width + i % width), from[i]);
        }
    }

    @Override
    public double norm(List<Tensor> tensors) {
        double squares = 0;
        for (Tensor tensor : tensors) {
            for (double value : Store.of(tensor.buffer()).array().values()) {
                squares += value * value;
            }
        }
        return Math.sqrt(squares);
    }

    private static double[] values(Constant constant) {
        return Store.of(constant.buffer()).array().values();
    }

    private void write(Constant constant, int i, double value) {
        Store.of(constant.buffer()).set(i, store.stored(value, constant.dtype()));
    }
}
