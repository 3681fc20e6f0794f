package io.peftj.methods.reft;

import io.peftj.core.InvalidConfigException;
import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.Contribution;
import io.peftj.core.adapter.DeriveContext;
import io.peftj.core.adapter.InitialiseContext;
import io.peftj.core.adapter.ParameterSpec;
import io.peftj.core.adapter.SavedModules;
import io.peftj.core.tensor.CounterRandom;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Matrix;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * LoReFT and its family on one model.
 *
 * <p>Where R has orthonormal rows, what is trained under its name is a free matrix X of which R is made once a step; files hold R, and X begins there.
 */
final class ReftPlan implements AdapterPlan {
    private final BackboneSpec spec;
    private final ReftConfig config;
    private final List<Edit> edits;
    private final SavedModules saved;

    /** What happens behind a layer, at the first positions, the last ones, or both. */
    private record Edit(int layer, ReftConfig.Part part) {
        private String name(String parameter) {
            return "layers." + layer + "." + part.name() + "." + parameter;
        }

        /** R or W₂, [r, d]. */
        String rotate() {
            return name("rotate");
        }

        /** W or W₁, [r, d]. */
        String weight() {
            return name("weight");
        }

        /** b [r]. */
        String bias() {
            return name("bias");
        }

        /** The effective A [r, d] of {@link ReftFormula}. */
        String projection() {
            return name("projection");
        }
    }

    /** Plans a configuration whose layers are given. */
    ReftPlan(BackboneSpec spec, ReftConfig config) {
        this.spec = spec;
        this.config = config;
        if (config.rank() > spec.width()) {
            throw new InvalidConfigException("r: expected at most the model's width of " + spec.width() + ", found "
                    + config.rank() + "; lower it");
        }
        this.edits = new ArrayList<>();
        for (int layer : config.layers()) {
            if (layer < 0 || layer >= spec.layers()) {
                throw new InvalidConfigException("layers: expected numbers from 0 to " + (spec.layers() - 1)
                        + ", as the model has " + spec.layers() + " layers, found " + layer);
            }
            config.parts().forEach(part -> edits.add(new Edit(layer, part)));
        }
        this.saved = SavedModules.listed(spec, config, "base_model.model.");
    }

    @Override
    public List<ParameterSpec> stored() {
        Shape matrix = Shape.of(config.rank(), spec.width());
        List<ParameterSpec> all = new ArrayList<>();
        for (Edit edit : edits) {
            all.add(new ParameterSpec(edit.rotate(), matrix));
            if (config.variant().hasWeight()) {
                all.add(new ParameterSpec(edit.weight(), matrix));
            }
            all.add(new ParameterSpec(edit.bias(), Shape.of(config.rank())));
        }
        all.addAll(saved.stored());
        return List.copyOf(all);
    }

    /** A random R, and the others as PyTorch's Linear starts; a bias without W between 0 and 1. */
    @Override
    public Map<String, HostTensor> initialise(InitialiseContext context) {
        double bound = 1 / Math.sqrt(spec.width());
        Shape matrix = Shape.of(config.rank(), spec.width());
        Shape vector = Shape.of(config.rank());
        Map<String, HostTensor> values = new LinkedHashMap<>();
        for (Edit edit : edits) {
            CounterRandom ofRotate = context.random(edit.rotate());
            values.put(
                    edit.rotate(),
                    config.variant().isOrthonormal()
                            ? orthonormal(ofRotate, context)
                            : ofRotate.uniform(matrix, bound));
            CounterRandom ofBias = context.random(edit.bias());
            if (config.variant().hasWeight()) {
                values.put(edit.weight(), context.random(edit.weight()).uniform(matrix, bound));
                values.put(edit.bias(), ofBias.uniform(vector, bound));
            } else {
                values.put(edit.bias(), betweenZeroAndOne(ofBias, vector));
            }
        }
        values.putAll(saved.initialise(spec, context));
        return values;
    }

    private HostTensor orthonormal(CounterRandom random, InitialiseContext context) {
        Matrix any = Matrix.of(random.normal(Shape.of(spec.width(), config.rank()), 1));
        return context.linearAlgebra().qr(any).q().transpose().toHost();
    }

    private static HostTensor betweenZeroAndOne(CounterRandom random, Shape shape) {
        HostTensor values = HostTensor.filled(shape, 0);
        for (int i = 0; i < values.values().length; i++) {
            values.values()[i] = (float) random.nextDouble();
        }
        return values;
    }

    @Override
    public Map<String, Tensor> derive(Map<String, Tensor> parameters, DeriveContext context) {
        Map<String, Tensor> effective = new LinkedHashMap<>(parameters);
        for (Edit edit : edits) {
            Tensor rotate = rotation(get(parameters, edit.rotate()));
            effective.put(edit.rotate(), rotate);
            effective.put(
                    edit.projection(),
                    switch (config.variant()) {
                        case LOREFT, NOREFT -> get(parameters, edit.weight()).minus(rotate);
                        case DIREFT -> get(parameters, edit.weight());
                        case CONSREFT -> rotate.affine(-1, 0);
                        case LOBIREFT -> rotate.session().zeros(rotate.shape(), rotate.dtype());
                    });
            effective.remove(edit.weight());
        }
        return effective;
    }

    @Override
    public Map<String, Tensor> fold(Map<String, Tensor> raw) {
        Map<String, Tensor> stored = new LinkedHashMap<>(raw);
        edits.forEach(edit -> stored.computeIfPresent(edit.rotate(), (name, x) -> rotation(x)));
        return stored;
    }

    /** R would be made orthonormal in any case, but as another one than the one that was trained. */
    @Override
    public void check(Map<String, HostTensor> stored) {
        if (config.variant().isOrthonormal()) {
            edits.forEach(edit -> Orthonormality.require(
                    edit.rotate(), Objects.requireNonNull(stored.get(edit.rotate())), config.variant()));
        }
    }

    private Tensor rotation(Tensor x) {
        return config.variant().isOrthonormal() ? x.orthonormalRows() : x;
    }

    private static Tensor get(Map<String, Tensor> parameters, String name) {
        return Objects.requireNonNull(parameters.get(name), name);
    }

    @Override
    public List<Contribution> contributions() {
        List<Contribution> all = new ArrayList<>();
        for (Edit edit : edits) {
            all.add(new Contribution.PromptEdit(
                    edit.layer(),
                    edit.part().places(),
                    ReftFormula.FAMILY,
                    List.of(edit.projection(), edit.bias(), edit.rotate()),
                    config.dropout()));
        }
        all.addAll(saved.contributions());
        return List.copyOf(all);
    }

    /** Labels inside the prompt would be learnt from states that the edits made for them. */
    @Override
    public boolean readsWholePrompt() {
        return true;
    }
}
