package io.peftj.djl.diagnose;

import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.Contribution;
import io.peftj.core.adapter.Contribution.PromptScale;
import io.peftj.core.adapter.Contribution.Ranged;
import io.peftj.core.run.ActiveAdapter;
import io.peftj.core.run.Batch;
import io.peftj.core.run.BoundPlan;
import io.peftj.core.run.Row;
import io.peftj.core.run.Run;
import io.peftj.core.run.Stack;
import io.peftj.core.site.OutputRange;
import io.peftj.core.tensor.Session;
import io.peftj.core.tensor.Tensor;
import io.peftj.djl.backbone.Backbone;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;
import java.util.function.BooleanSupplier;
import java.util.function.Function;

/**
 * The vectors that an adapter such as PEDRO's makes of prompts, layer by layer, and what its nonlinearities are given there.
 *
 * @param layers a layer each, from the first on; empty if the adapter makes none
 */
public record PromptVectors(List<Layer> layers) {
    /** Keeps a copy. */
    public PromptVectors {
        layers = List.copyOf(layers);
    }

    /**
     * What was made in a layer.
     *
     * @param layer its number
     * @param outputs what is scaled, in the order of the vectors' elements
     * @param vectors a vector a prompt, each as long as all outputs together
     * @param inside the share of what its nonlinearity was given that lay in the range it is made for, a number a prompt; empty if it has no range
     */
    public record Layer(int layer, List<OutputRange> outputs, List<double[]> vectors, List<Double> inside) {
        /** Keeps copies; the arrays are shared. */
        public Layer {
            outputs = List.copyOf(outputs);
            vectors = List.copyOf(vectors);
            inside = List.copyOf(inside);
        }
    }

    /** Whether an adapter makes vectors of prompts. */
    public static boolean areMadeBy(AdapterPlan plan) {
        return plan.contributions().stream().anyMatch(PromptScale.class::isInstance);
    }

    /**
     * Reads prompts.
     *
     * @param adapter made in the session; it acts alone
     * @param prompts the rows to read, under the stack that is given; those of a batch are computed together
     * @param cancelled asked between layers whether to stop
     */
    public static PromptVectors of(
            Backbone base,
            Function<Session, ActiveAdapter> adapter,
            Function<Stack, List<Row>> prompts,
            BooleanSupplier cancelled) {
        return base.call("vectors", cancelled, session -> {
            Watch watch = new Watch(new ArrayList<>());
            Stack stack = Stack.of(watched(adapter.apply(session), watch));
            Batch batch = Batch.of(session, base.spec(), prompts.apply(stack));
            base.transformer().hiddenStates(new Run(session, batch, null));
            return new PromptVectors(watch.made().stream()
                    .map(layer -> inCallersOrder(layer, batch))
                    .toList());
        });
    }

    /** The share of all that nonlinearities were given outside the ranges they are made for; empty if none has a range. */
    public OptionalDouble shareOutside() {
        return layers.stream()
                .flatMap(layer -> layer.inside().stream())
                .mapToDouble(inside -> 1 - inside)
                .average();
    }

    private static Layer inCallersOrder(Layer layer, Batch batch) {
        List<Double> inside = layer.inside().isEmpty() ? List.of() : batch.inCallersOrder(layer.inside());
        return new Layer(layer.layer(), layer.outputs(), batch.inCallersOrder(layer.vectors()), inside);
    }

    // ---- watching: formulas that do the same and are overheard ----

    private record Watch(List<Layer> made) {}

    private static ActiveAdapter watched(ActiveAdapter adapter, Watch watch) {
        AdapterPlan plan = adapter.plan().plan();
        List<Contribution> contributions = plan.contributions().stream()
                .map(each -> each instanceof PromptScale scale ? watched(scale, watch) : each)
                .toList();
        return new ActiveAdapter(
                adapter.name(), new BoundPlan(new WatchedPlan(plan, contributions)), adapter.effective());
    }

    private static Contribution watched(PromptScale scale, Watch watch) {
        return new PromptScale(scale.layer(), scale.outputs(), new WatchedFormula(scale, watch), scale.parameters());
    }

    private record WatchedFormula(PromptScale scale, Watch watch) implements Contribution.PromptFormula {
        @Override
        public Tensor apply(Contribution.PromptInput input) {
            Tensor vectors = scale.formula().apply(input);
            Ranged ranged = scale.formula().ranged(input);
            watch.made()
                    .add(new Layer(
                            scale.layer(),
                            scale.outputs(),
                            rows(vectors),
                            ranged == null ? List.of() : inside(ranged)));
            return vectors;
        }

        private static List<double[]> rows(Tensor matrix) {
            double[] all = matrix.toDoubles();
            int width = matrix.shape().dim(1);
            List<double[]> rows = new ArrayList<>();
            for (int from = 0; from < all.length; from += width) {
                rows.add(Arrays.copyOfRange(all, from, from + width));
            }
            return rows;
        }

        private static List<Double> inside(Ranged ranged) {
            return rows(ranged.values()).stream()
                    .map(row -> Arrays.stream(row)
                                    .filter(value -> Math.abs(value) <= ranged.bound())
                                    .count()
                            / (double) row.length)
                    .toList();
        }

        @Override
        public int paddedAxis(int parameter) {
            return scale.formula().paddedAxis(parameter);
        }
    }
}
