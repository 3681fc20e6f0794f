package io.peftj.djl.backbone;

import io.peftj.core.PeftException;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.HeadSpec;
import io.peftj.core.adapter.Pooling;
import io.peftj.core.run.Batch;
import io.peftj.core.run.Places;
import io.peftj.core.run.Row;
import io.peftj.core.run.Run;
import io.peftj.core.site.Role;
import io.peftj.core.site.Site;
import io.peftj.core.tensor.Activation;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.Index;
import io.peftj.core.tensor.Kernels.Reduction;
import io.peftj.core.tensor.Layout;
import io.peftj.core.tensor.Loss;
import io.peftj.core.tensor.Segments;
import io.peftj.core.tensor.Tape;
import io.peftj.core.tensor.Tensor;
import io.peftj.core.tensor.Weight;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** What becomes of hidden states: pooled vectors, class logits, next-token logits and losses. */
public final class Outputs {
    /** Labelled tokens whose logits are held at once where adapters act on the output embedding. */
    private static final int CHUNK = 128;

    private final BackboneSpec spec;
    private final Transformer transformer;
    private final List<Linear> ownHead;

    /**
     * Outputs of a model.
     *
     * @param ownHead the layers of its own classification head; none if it has no head
     */
    Outputs(BackboneSpec spec, Transformer transformer, List<Linear> ownHead) {
        this.spec = spec;
        this.transformer = transformer;
        this.ownHead = List.copyOf(ownHead);
    }

    /**
     * One vector a row, in the batch's order.
     *
     * @param hidden [tokens, width]
     * @return [rows, width] in f32 at least
     */
    public Tensor pool(Run run, Tensor hidden, Pooling pooling) {
        Layout layout = run.batch().layout();
        long[] token = new long[layout.rows()];
        Tensor pooled = switch (pooling) {
            case MEAN -> mean(run, precise(hidden));
            case FIRST -> {
                Arrays.setAll(token, layout::begin);
                yield hidden.gather(run.session().index(token));
            }
            case LAST -> {
                Arrays.setAll(token, row -> layout.begin(row + 1) - 1);
                yield hidden.gather(run.session().index(token));
            }
        };
        return precise(pooled);
    }

    /** Over each row's real tokens, since virtual ones say nothing of a text. */
    private static Tensor mean(Run run, Tensor hidden) {
        Batch batch = run.batch();
        if (!batch.hasVirtualTokens()) {
            return hidden.segmentReduce(batch.layout().segments(), Reduction.MEAN);
        }
        int[] lengths = batch.rows().stream().mapToInt(Row::length).toArray();
        long[] real = IntStream.range(0, batch.tokens().size())
                .filter(place -> batch.tokens().token(place) >= 0)
                .asLongStream()
                .toArray();
        Segments rows = Layout.of(run.session(), lengths).segments();
        return hidden.gather(run.session().index(real)).segmentReduce(rows, Reduction.MEAN);
    }

    /**
     * Class logits, a tensor [rows of the group, classes] for each of the batch's groups, in f32 at least: groups may have heads of different sizes.
     *
     * @throws PeftException if a group's adapters bring no head and the base has none
     */
    public List<Tensor> classLogits(Run run, Tensor hidden, HeadSpec head) {
        Tensor pooled = pool(run, hidden, head.pooling());
        Tensor input = head.pooling() == Pooling.FIRST
                ? precise(transformer.headInput(run, pooled.cast(hidden.dtype())))
                : pooled;
        Places rows = run.batch().rowPlaces();
        List<Tensor> logits = new ArrayList<>();
        for (int g = 0; g < run.batch().groups().size(); g++) {
            Tensor part = rows.offset(g) == 0 && rows.offset(g + 1) == rows.size()
                    ? input
                    : input.slice(0, rows.offset(g), rows.offset(g + 1));
            logits.add(head(run, g, part, head));
        }
        return logits;
    }

    private Tensor head(Run run, int group, Tensor x, HeadSpec head) {
        List<Site> layers = head.layers();
        Tensor y = layer(run, group, x, layers.get(0));
        for (Site next : layers.subList(1, layers.size())) {
            y = layer(run, group, y.activation(Activation.TANH), next);
        }
        return y;
    }

    /** A layer of the head as the group's adapters have it, or else the base. */
    private Tensor layer(Run run, int group, Tensor x, Site layer) {
        Tensor weight = run.replacement(layer.weightName(), group);
        Tensor bias = run.replacement(layer.biasName(), group);
        if (weight != null) {
            Tensor y = x.linear(weight);
            return bias == null ? y : y.plus(bias);
        }
        Linear own = ownHead.stream()
                .filter(linear -> linear.site().name().equals(layer.name()))
                .findFirst()
                .orElseThrow(() -> new PeftException("a row asks for class logits, but none of its adapters brings the"
                        + " head's layer \"" + layer.name()
                        + "\" and the base model has none; use an adapter that was trained for classification"));
        Tensor y = precise(x.cast(own.weight().dtype()).linear(own.weight(), null));
        if (bias != null) {
            return y.plus(bias);
        }
        return own.bias() == null ? y : y.plus(precise(run.session().tensor(own.bias())));
    }

    /** Next-token logits [places, vocabulary] of hidden states [places, width]. */
    public Tensor logits(Run run, Tensor states, Places places) {
        return run.linear(outputSite(), states, outputEmbedding(), null, places);
    }

    /**
     * Σ weight · negative log-likelihood of labels, without ever holding [places, vocabulary] whole.
     *
     * @param states hidden states of the tokens that predict [places, width]
     * @param tokens the numbers of these tokens in the batch, rising
     * @param labels what each should predict
     * @param weights [places] f32 at least
     * @param smoothing the share of a label that all tokens have alike, 0 to below 1
     */
    public Loss nextTokenLoss(Run run, Tensor states, int[] tokens, Index labels, Tensor weights, double smoothing) {
        if (!run.touches(outputSite())) {
            return states.linearCrossEntropy(outputEmbedding(), labels, weights, smoothing);
        }
        List<Tensor> sums = new ArrayList<>();
        List<Tensor> rows = new ArrayList<>();
        for (int begin = 0; begin < tokens.length; begin += CHUNK) {
            int from = begin;
            int to = Math.min(tokens.length, begin + CHUNK);
            Places places = run.batch().select(Arrays.copyOfRange(tokens, from, to));
            Index some = run.session().index(Arrays.copyOfRange(labels.values(), from, to));
            Tensor part = states.slice(0, from, to);
            Tensor weight = weights.slice(0, from, to);
            List<Tensor> chunk = Tape.checkpoint(run.session(), () -> {
                Loss loss = logits(run, part, places).crossEntropy(some, weight, smoothing, null);
                return List.of(loss.sum(), loss.perRow());
            });
            sums.add(chunk.get(0));
            rows.add(chunk.get(1).detach());
        }
        return new Loss(run.session().sum(sums), Tensor.concat(rows, 0));
    }

    private Site outputSite() {
        return spec.sites(Role.OUTPUT_EMBEDDING).stream()
                .findFirst()
                .orElseThrow(() -> new PeftException("the model " + spec.architecture()
                        + " makes no next-token logits; open a language model, such as LlamaForCausalLM"));
    }

    private Weight outputEmbedding() {
        Weight weight = transformer.outputEmbedding();
        if (weight == null) {
            throw new PeftException(
                    "the model " + spec.architecture() + " makes no next-token logits; open a language model");
        }
        return weight;
    }

    private static Tensor precise(Tensor x) {
        return x.dtype() == DType.BF16 ? x.cast(DType.F32) : x;
    }
}
