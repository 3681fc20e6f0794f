package io.peftj.djl.diagnose;

import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.Contribution;
import io.peftj.core.adapter.Contribution.PromptFormula;
import io.peftj.core.adapter.Contribution.PromptInput;
import io.peftj.core.adapter.Contribution.PromptScale;
import io.peftj.core.adapter.DeriveContext;
import io.peftj.core.adapter.InitialiseContext;
import io.peftj.core.adapter.ParameterSpec;
import io.peftj.core.run.ActiveAdapter;
import io.peftj.core.run.BoundPlan;
import io.peftj.core.site.OutputRange;
import io.peftj.core.site.Role;
import io.peftj.core.site.Site;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Session;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** An adapter that multiplies by one, and sees each layer's input on the way. */
final class LayerInputs {
    private static final String NOTHING = "nothing";

    private final BackboneSpec spec;
    private final List<double[]> layers = new ArrayList<>();

    LayerInputs(BackboneSpec spec) {
        this.spec = spec;
    }

    /** The inputs so far [tokens, width], from the first layer on: of a row's real tokens. */
    List<double[]> layers() {
        return layers;
    }

    /** The adapter, for a stack. */
    ActiveAdapter in(Session session) {
        List<Contribution> contributions = new ArrayList<>();
        for (int layer = 0; layer < spec.layers(); layer++) {
            OutputRange outputs = OutputRange.all(someSite(layer));
            contributions.add(new PromptScale(layer, List.of(outputs), new Formula(layer), List.of(NOTHING)));
        }
        Tensor one = session.tensor(HostTensor.filled(Shape.of(1), 1));
        return new ActiveAdapter("layer inputs", new BoundPlan(new Plan(contributions)), Map.of(NOTHING, one));
    }

    private Site someSite(int layer) {
        return spec.sites(Role.UP).stream()
                .filter(site -> site.layer() == layer)
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("layer " + layer + " has no feed-forward network"));
    }

    /** Not a record: each is for its own layer. */
    private final class Formula implements PromptFormula {
        private final int layer;

        private Formula(int layer) {
            this.layer = layer;
        }

        @Override
        public Tensor apply(PromptInput input) {
            Tensor tokens = input.tokens();
            layers.add(tokens.toDoubles());
            return tokens.session()
                    .tensor(HostTensor.filled(Shape.of(1, someSite(layer).out()), 1), tokens.dtype());
        }

        @Override
        public int paddedAxis(int parameter) {
            return -1;
        }
    }

    private record Plan(List<Contribution> contributions) implements AdapterPlan {
        @Override
        public List<ParameterSpec> stored() {
            return List.of();
        }

        @Override
        public Map<String, HostTensor> initialise(InitialiseContext context) {
            return Map.of();
        }

        @Override
        public Map<String, Tensor> derive(Map<String, Tensor> parameters, DeriveContext context) {
            return parameters;
        }
    }
}
