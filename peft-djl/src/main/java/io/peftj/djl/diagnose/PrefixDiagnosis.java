package io.peftj.djl.diagnose;

import io.peftj.core.InvalidConfigException;
import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.Contribution;
import io.peftj.core.run.ActiveAdapter;
import io.peftj.core.run.Batch;
import io.peftj.core.run.ResidentAdapter;
import io.peftj.core.run.Row;
import io.peftj.core.run.Run;
import io.peftj.core.run.Stack;
import io.peftj.core.tensor.Session;
import io.peftj.djl.backbone.Backbone;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What a prefix or a prompt does inside a model, layer by layer, on real rows (arXiv 2310.19698).
 *
 * <p>In one layer it cannot change how much one token of the row attends to another relative to a third: with A the attention among the row's tokens
 * alone, of the same layer input, and a' the attention that goes to what stands before, A'ᵢⱼ = Aᵢⱼ(1 − a'ᵢ). What it can do is add a bias to
 * each head's output, which becomes a'·(its values) + (1 − a')·(the old output). All else comes from deeper layers reading what was biased.
 *
 * @param rows how many rows were read
 * @param tokens how many tokens these had
 * @param layers each layer
 * @param outputDrift as {@link Layer#drift}, of the states behind the last layer
 */
public record PrefixDiagnosis(int rows, long tokens, List<Layer> layers, double outputDrift) {
    /** Keeps a copy. */
    public PrefixDiagnosis {
        layers = List.copyOf(layers);
    }

    /**
     * A layer's figures: means over tokens and heads, unless said otherwise.
     *
     * @param layer its number
     * @param deviation the largest |A'ᵢⱼ − Aᵢⱼ(1 − a'ᵢ)| found, computed in double precision of the model's queries and keys: rounding, if the theory holds
     * @param outputError the largest difference of an element of the attention's output from what was computed here: what the model's own arithmetic
     *     rounds
     * @param share a', how much of the attention goes to the prefix or prompt
     * @param largestShare of one head, its mean over tokens
     * @param biasSize the length of the bias a'·(values), all heads together, over the length of the output without it
     * @param biasAlignment the length of the tokens' mean bias over the mean of their biases' lengths: 1 where it is the same for all, near 0 where its
     *     directions cancel
     * @param biasCosine of the angle between a token's bias and the output without it, all heads together, its mean over tokens: 1 along it, 0 across
     *     (or nothing), −1 against
     * @param drift how far the layer's input is from the bare model's: the length of the difference over that of the input
     */
    public record Layer(
            int layer,
            double deviation,
            double outputError,
            double share,
            double largestShare,
            double biasSize,
            double biasAlignment,
            double biasCosine,
            double drift) {}

    /**
     * Reads rows with and without an adapter.
     *
     * @param adapter one with a prefix or virtual tokens
     * @param rows token ids, at least one row
     * @param cancelled asked between layers whether to stop
     * @throws InvalidConfigException if the adapter puts nothing before rows
     */
    public static PrefixDiagnosis of(
            Backbone base, ResidentAdapter adapter, List<int[]> rows, BooleanSupplier cancelled) {
        AdapterPlan plan = adapter.plan().plan();
        if (plan.contributions().stream()
                .noneMatch(
                        each -> each instanceof Contribution.KeyValues || each instanceof Contribution.VirtualTokens)) {
            throw new InvalidConfigException("expected an adapter that puts a prefix or a prompt before rows, found "
                    + adapter.name() + " without either; give one of prefix tuning, prompt tuning or P-tuning");
        }
        if (rows.isEmpty()) {
            throw new InvalidConfigException("there is nothing to read; give at least one row");
        }
        BackboneSpec spec = base.spec();
        List<LayerSums> sums = new ArrayList<>();
        for (int layer = 0; layer < spec.layers(); layer++) {
            sums.add(new LayerSums(spec, plan.virtualTokens()));
        }
        double outputDrift = 0;
        long tokens = 0;
        for (int[] ids : rows) {
            Pass bare = pass(base, null, ids, cancelled);
            Pass adapted = pass(base, adapter, ids, cancelled);
            for (int layer = 0; layer < spec.layers(); layer++) {
                sums.get(layer).add(adapted.attentions().get(layer));
                sums.get(layer)
                        .addDrift(
                                drift(bare.inputs().get(layer), adapted.inputs().get(layer), spec.width()));
            }
            outputDrift += drift(bare.output(), adapted.output(), spec.width());
            tokens += ids.length;
        }
        List<Layer> layers = new ArrayList<>();
        for (int layer = 0; layer < spec.layers(); layer++) {
            layers.add(sums.get(layer).means(layer, tokens));
        }
        return new PrefixDiagnosis(rows.size(), tokens, layers, outputDrift / tokens);
    }

    /**
     * A row's forward pass.
     *
     * @param attentions what each layer's attention read and gave
     * @param inputs of each layer at the row's real tokens [tokens, width]
     * @param output behind the last layer, likewise
     */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Pass(List<Overheard.Attention> attentions, List<double[]> inputs, double[] output) {}

    private static Pass pass(Backbone base, @Nullable ResidentAdapter adapter, int[] ids, BooleanSupplier cancelled) {
        return base.call("diagnose", cancelled, outer -> {
            Overheard overheard = new Overheard();
            LayerInputs inputs = new LayerInputs(base.spec());
            try (Session session = Session.open(overheard.on(outer.backend()), cancelled)) {
                List<ActiveAdapter> acting = new ArrayList<>();
                if (adapter != null) {
                    acting.add(adapter.in(session));
                }
                acting.add(inputs.in(session));
                Batch batch = Batch.of(session, base.spec(), List.of(Row.of(new Stack(acting), 0, ids)));
                double[] all = base.transformer()
                        .hiddenStates(new Run(session, batch, null))
                        .toDoubles();
                int own = batch.firstToken(0) * base.spec().width();
                if (overheard.attentions().size() != base.spec().layers()) {
                    throw new IllegalStateException("expected one attention a layer, found "
                            + overheard.attentions().size() + " in "
                            + base.spec().layers() + " layers");
                }
                return new Pass(
                        overheard.attentions(),
                        inputs.layers(),
                        Arrays.copyOfRange(
                                all, own, own + ids.length * base.spec().width()));
            }
        });
    }

    /** The sum over tokens of |x' − x| / |x|. */
    private static double drift(double[] bare, double[] adapted, int width) {
        double sum = 0;
        for (int from = 0; from < bare.length; from += width) {
            double difference = 0;
            double length = 0;
            for (int i = from; i < from + width; i++) {
                difference += (adapted[i] - bare[i]) * (adapted[i] - bare[i]);
                length += bare[i] * bare[i];
            }
            sum += Math.sqrt(difference / Math.max(length, Double.MIN_NORMAL));
        }
        return sum;
    }
}
