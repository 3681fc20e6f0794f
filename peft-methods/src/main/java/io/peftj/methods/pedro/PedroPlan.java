package io.peftj.methods.pedro;

import io.peftj.core.InvalidConfigException;
import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.Contribution;
import io.peftj.core.adapter.DeriveContext;
import io.peftj.core.adapter.InitialiseContext;
import io.peftj.core.adapter.ParameterSpec;
import io.peftj.core.adapter.SavedModules;
import io.peftj.core.site.OutputRange;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Tensor;
import io.peftj.methods.pedro.PedroActivation.Rational;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** PEDRO on one model: a generator a layer. */
final class PedroPlan implements AdapterPlan {
    private final BackboneSpec spec;
    private final PedroConfig config;
    private final List<Generator> generators = new ArrayList<>();
    private final SavedModules saved;

    /** What makes the vectors of a layer, and which outputs they scale. */
    private record Generator(int layer, List<OutputRange> outputs) {
        private String name(String parameter) {
            return "layers." + layer + "." + parameter;
        }

        /** W_down [r, d]. */
        String down() {
            return name("down.weight");
        }

        /** W_up [all outputs, r]. */
        String up() {
            return name("up.weight");
        }

        /** a [m + 1]. */
        String numerator() {
            return name("activation.numerator");
        }

        /** b [n]. */
        String denominator() {
            return name("activation.denominator");
        }

        /** w [d]. */
        String pool() {
            return name("pool.weight");
        }

        int size() {
            return outputs.stream().mapToInt(OutputRange::size).sum();
        }
    }

    /** Plans a configuration that says its head. */
    PedroPlan(BackboneSpec spec, PedroConfig config) {
        this.spec = spec;
        this.config = config;
        for (int layer = 0; layer < spec.layers(); layer++) {
            List<OutputRange> outputs = new ArrayList<>();
            for (PedroTarget target : config.targets()) {
                outputs.add(output(layer, target));
            }
            generators.add(new Generator(layer, outputs));
        }
        this.saved = SavedModules.listed(spec, config, "base_model.model.");
    }

    private OutputRange output(int layer, PedroTarget target) {
        return spec.outputs(target.role()).stream()
                .filter(range -> range.site().layer() == layer)
                .findFirst()
                .orElseThrow(() -> new InvalidConfigException("targets: " + spec.architecture()
                        + " has no outputs of the kind \"" + target.key() + "\" in layer " + layer
                        + "; leave it out"));
    }

    private @Nullable Rational rational() {
        return config.activation() instanceof Rational rational ? rational : null;
    }

    private boolean attends() {
        return config.pooling() == PromptPooling.ATTENTION;
    }

    @Override
    public List<ParameterSpec> stored() {
        Rational rational = rational();
        List<ParameterSpec> all = new ArrayList<>();
        for (Generator generator : generators) {
            all.add(new ParameterSpec(generator.down(), Shape.of(config.rank(), spec.width())));
            all.add(new ParameterSpec(generator.up(), Shape.of(generator.size(), config.rank())));
            if (rational != null) {
                all.add(new ParameterSpec(generator.numerator(), Shape.of(rational.numeratorDegree() + 1)));
                all.add(new ParameterSpec(generator.denominator(), Shape.of(rational.denominatorDegree())));
            }
            if (attends()) {
                all.add(new ParameterSpec(generator.pool(), Shape.of(spec.width())));
            }
        }
        all.addAll(saved.stored());
        return List.copyOf(all);
    }

    /** W_up at zero, so that all vectors are ones at first. */
    @Override
    public Map<String, HostTensor> initialise(InitialiseContext context) {
        double bound = 1 / Math.sqrt(spec.width());
        Rational rational = rational();
        Map<String, HostTensor> values = new LinkedHashMap<>();
        for (Generator generator : generators) {
            Shape down = Shape.of(config.rank(), spec.width());
            values.put(generator.down(), context.random(generator.down()).uniform(down, bound));
            values.put(generator.up(), HostTensor.filled(Shape.of(generator.size(), config.rank()), 0));
            if (rational != null) {
                RationalStart.Coefficients start =
                        rational.start().coefficients(rational.numeratorDegree(), rational.denominatorDegree());
                values.put(generator.numerator(), HostTensor.vector(start.numerator()));
                values.put(generator.denominator(), HostTensor.vector(start.denominator()));
            }
            if (attends()) {
                values.put(generator.pool(), context.random(generator.pool()).uniform(Shape.of(spec.width()), bound));
            }
        }
        values.putAll(saved.initialise(spec, context));
        return values;
    }

    /** Attention pooling's w as a matrix of one row. */
    @Override
    public Map<String, Tensor> derive(Map<String, Tensor> parameters, DeriveContext context) {
        Map<String, Tensor> effective = new LinkedHashMap<>(parameters);
        generators.forEach(
                generator -> effective.computeIfPresent(generator.pool(), (name, w) -> w.reshape(1, spec.width())));
        return effective;
    }

    @Override
    public List<Contribution> contributions() {
        PedroFormula formula = new PedroFormula(config.pooling(), config.poolNorm(), function());
        List<Contribution> all = new ArrayList<>();
        for (Generator generator : generators) {
            List<String> parameters = new ArrayList<>(List.of(generator.down(), generator.up()));
            if (rational() != null) {
                parameters.add(generator.numerator());
                parameters.add(generator.denominator());
            }
            if (attends()) {
                parameters.add(generator.pool());
            }
            all.add(new Contribution.PromptScale(generator.layer(), generator.outputs(), formula, parameters));
        }
        all.addAll(saved.contributions());
        return List.copyOf(all);
    }

    /** What a rational function starts as plays no part in what it computes, so that those of one kind stack. */
    private PedroActivation function() {
        Rational rational = rational();
        return rational == null
                ? config.activation()
                : new Rational(rational.numeratorDegree(), rational.denominatorDegree(), RationalStart.GELU);
    }

    @Override
    public boolean readsWholePrompt() {
        return true;
    }
}
