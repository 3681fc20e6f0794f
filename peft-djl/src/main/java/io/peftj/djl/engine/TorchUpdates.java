package io.peftj.djl.engine;

import io.peftj.core.tensor.Buffer;
import io.peftj.core.tensor.CacheLayout;
import io.peftj.core.tensor.Constant;
import io.peftj.core.tensor.Tensor;
import io.peftj.core.tensor.Updates;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** AdamW by libtorch, one call for all parameters with equal settings; norms; and what caches keep. */
final class TorchUpdates implements Updates {
    private final TorchCalls calls;

    TorchUpdates(TorchCalls calls) {
        this.calls = calls;
    }

    @Override
    public void adamW(List<Moments> parameters, List<Tensor> gradients, List<AdamW> settings, long step) {
        if (gradients.size() != parameters.size() || settings.size() != parameters.size()) {
            throw new IllegalArgumentException("adamW: " + parameters.size() + " parameters, " + gradients.size()
                    + " gradients and " + settings.size() + " settings were given; expected as many of each");
        }
        Map<AdamW, List<Integer>> groups = new LinkedHashMap<>();
        for (int i = 0; i < settings.size(); i++) {
            checkShape(parameters.get(i), gradients.get(i));
            groups.computeIfAbsent(settings.get(i), key -> new ArrayList<>()).add(i);
        }
        groups.forEach((set, members) -> adamW(
                members.stream().map(parameters::get).toList(),
                members.stream().map(i -> gradients.get(i).buffer()).toList(),
                set,
                step));
    }

    private void adamW(List<Moments> parameters, List<Buffer> gradients, AdamW set, long step) {
        calls.run(
                        "adamw",
                        parameters.stream().map(p -> p.parameter().buffer()).toList(),
                        gradients,
                        parameters.stream().map(p -> p.first().buffer()).toList(),
                        parameters.stream().map(p -> p.second().buffer()).toList(),
                        (double) step,
                        set.learningRate(),
                        set.beta1(),
                        set.beta2(),
                        set.eps(),
                        set.weightDecay())
                .close();
        for (Moments moments : parameters) {
            moments.parameter().changed();
            moments.first().changed();
            moments.second().changed();
        }
    }

    private static void checkShape(Moments moments, Tensor gradient) {
        if (!gradient.shape().equals(moments.parameter().shape())) {
            throw new IllegalArgumentException("adamW: a parameter of shape "
                    + moments.parameter().shape() + " was given a gradient of shape " + gradient.shape());
        }
    }

    @Override
    public void store(Constant keys, Constant values, Tensor k, Tensor v, CacheLayout rows) {
        calls.effect(
                "cache_store",
                keys.buffer(),
                values.buffer(),
                k.buffer(),
                v.buffer(),
                rows.runTable(),
                rows.slotOfToken(),
                rows.placeOfToken());
        keys.changed();
        values.changed();
    }

    @Override
    public double norm(List<Tensor> tensors) {
        return tensors.isEmpty()
                ? 0
                : calls.number("norm", tensors.stream().map(Tensor::buffer).toList());
    }
}
