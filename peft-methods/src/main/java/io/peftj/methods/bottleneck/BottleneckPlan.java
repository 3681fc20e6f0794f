package io.peftj.methods.bottleneck;

import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.Contribution;
import io.peftj.core.adapter.Contribution.SublayerDelta;
import io.peftj.core.adapter.DeriveContext;
import io.peftj.core.adapter.InitialiseContext;
import io.peftj.core.adapter.ParameterSpec;
import io.peftj.core.adapter.SavedModules;
import io.peftj.core.site.Sublayer;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Bottlenecks in all layers of one model. */
final class BottleneckPlan implements AdapterPlan {
    private final BackboneSpec spec;
    private final BottleneckConfig config;
    private final List<Bottleneck> bottlenecks;
    private final SavedModules saved;

    /** The four parameters of one bottleneck: D [rank, width], b [rank], U [width, rank], c [width]. */
    private record Bottleneck(int layer, Sublayer sublayer, int width, int rank) {
        private String name(String part) {
            return "layers." + layer + (sublayer == Sublayer.ATTENTION ? ".attn." : ".mlp.") + part;
        }

        ParameterSpec down() {
            return new ParameterSpec(name("down.weight"), Shape.of(rank, width));
        }

        ParameterSpec downBias() {
            return new ParameterSpec(name("down.bias"), Shape.of(rank));
        }

        ParameterSpec up() {
            return new ParameterSpec(name("up.weight"), Shape.of(width, rank));
        }

        ParameterSpec upBias() {
            return new ParameterSpec(name("up.bias"), Shape.of(width));
        }

        /** In the formula's order. */
        List<ParameterSpec> parameters() {
            return List.of(down(), downBias(), up(), upBias());
        }
    }

    BottleneckPlan(BackboneSpec spec, BottleneckConfig config) {
        this.spec = spec;
        this.config = config;
        this.bottlenecks = new ArrayList<>();
        int rank = config.width().in(spec.width());
        for (int l = 0; l < spec.layers(); l++) {
            for (Sublayer sublayer : config.placement().sublayers()) {
                bottlenecks.add(new Bottleneck(l, sublayer, spec.width(), rank));
            }
        }
        this.saved = SavedModules.of(spec, config, "base_model.model.");
    }

    @Override
    public List<ParameterSpec> stored() {
        List<ParameterSpec> all = new ArrayList<>();
        bottlenecks.forEach(bottleneck -> all.addAll(bottleneck.parameters()));
        all.addAll(saved.stored());
        return List.copyOf(all);
    }

    /** D uniform within ±1/√width, all else 0: an identity. */
    @Override
    public Map<String, HostTensor> initialise(InitialiseContext context) {
        Map<String, HostTensor> values = new LinkedHashMap<>();
        for (Bottleneck bottleneck : bottlenecks) {
            for (ParameterSpec parameter : bottleneck.parameters()) {
                values.put(parameter.name(), HostTensor.filled(parameter.shape(), 0));
            }
            ParameterSpec down = bottleneck.down();
            values.put(
                    down.name(), context.random(down.name()).uniform(down.shape(), 1 / Math.sqrt(bottleneck.width())));
        }
        values.putAll(saved.initialise(spec, context));
        return values;
    }

    /** The scale goes into U and c, so that adapters with different scales stack. */
    @Override
    public Map<String, Tensor> derive(Map<String, Tensor> parameters, DeriveContext context) {
        Map<String, Tensor> effective = new LinkedHashMap<>(parameters);
        for (Bottleneck bottleneck : bottlenecks) {
            for (ParameterSpec scaled : List.of(bottleneck.up(), bottleneck.upBias())) {
                effective.computeIfPresent(scaled.name(), (name, value) -> value.affine(config.scale(), 0));
            }
        }
        return effective;
    }

    @Override
    public List<Contribution> contributions() {
        BottleneckFormula formula = new BottleneckFormula(config.activation());
        List<Contribution> all = new ArrayList<>();
        for (Bottleneck bottleneck : bottlenecks) {
            List<String> names =
                    bottleneck.parameters().stream().map(ParameterSpec::name).toList();
            all.add(new SublayerDelta(
                    bottleneck.layer(),
                    bottleneck.sublayer(),
                    config.placement().reads(),
                    formula,
                    names));
        }
        all.addAll(saved.contributions());
        return List.copyOf(all);
    }
}
