package io.peftj.core.run;

import io.peftj.core.adapter.Contribution.Delta;
import io.peftj.core.adapter.Contribution.DeltaFormula;
import io.peftj.core.adapter.Contribution.DeltaInput;
import io.peftj.core.adapter.Contribution.InputScale;
import io.peftj.core.adapter.Contribution.KeyValues;
import io.peftj.core.adapter.Contribution.OutputScale;
import io.peftj.core.adapter.Contribution.Reads;
import io.peftj.core.adapter.Contribution.SublayerDelta;
import io.peftj.core.adapter.Contribution.SublayerFormula;
import io.peftj.core.adapter.Contribution.SublayerInput;
import io.peftj.core.run.Assignment.Entry;
import io.peftj.core.site.OutputRange;
import io.peftj.core.site.Site;
import io.peftj.core.site.Sublayer;
import io.peftj.core.tensor.AttentionPrefix;
import io.peftj.core.tensor.CacheLayout;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.Dropout;
import io.peftj.core.tensor.Index;
import io.peftj.core.tensor.KeyValueCache;
import io.peftj.core.tensor.Scope;
import io.peftj.core.tensor.Segments;
import io.peftj.core.tensor.Session;
import io.peftj.core.tensor.Tape;
import io.peftj.core.tensor.Tensor;
import io.peftj.core.tensor.Weight;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * One forward pass over a batch: backbones ask it for every product, norm and embedding, and it lets the rows' adapters act there.
 *
 * <p>The order at a site is: substitutions, input scalings, the base product, deltas, the bias, output scalings. Alike contributions of several
 * adapters are stacked and computed at once; groups on which nothing acts cost nothing.
 */
public final class Run {
    private final Session session;
    private final Batch batch;
    private final KeyValueObserver observer;
    private final @Nullable Cached cached;
    private final boolean recomputing;
    private final TokenRows tokenRows;
    private final PromptEdits promptEdits;
    private final PromptScales promptScales;
    private final Acting acting;
    private final Substitutions substitutions;

    /**
     * A forward pass.
     *
     * @param training what dropout draws by; null for inference, where nothing is dropped
     */
    public Run(Session session, Batch batch, @Nullable Training training) {
        this(session, batch, training, (layer, keys, values) -> {});
    }

    /** A forward pass that shows its keys and values. */
    public Run(Session session, Batch batch, @Nullable Training training, KeyValueObserver observer) {
        this(session, batch, training, observer, null, false);
    }

    /**
     * A forward pass that keeps no more of a layer for the backward pass than what goes into it, and computes the rest again there (gradient
     * checkpointing, arXiv 1604.06174).
     */
    public static Run recomputing(Session session, Batch batch, @Nullable Training training) {
        return new Run(session, batch, training, (layer, keys, values) -> {}, null, true);
    }

    /**
     * A forward pass over rows whose earlier tokens are in a cache, which is given the keys and values of these ones too.
     *
     * @param rows where the batch's rows lie in the cache, in the batch's order
     * @param stacks what earlier passes stacked of the same adapters
     */
    public static Run cached(
            Session session, Batch batch, KeyValueCache cache, CacheLayout rows, ResidentStacks stacks) {
        return new Run(session, batch, null, (layer, keys, values) -> {}, new Cached(cache, rows, stacks), false);
    }

    private Run(
            Session session,
            Batch batch,
            @Nullable Training training,
            KeyValueObserver observer,
            @Nullable Cached cached,
            boolean recomputing) {
        this.session = session;
        this.batch = batch;
        this.observer = observer;
        this.cached = cached;
        this.recomputing = recomputing;
        this.tokenRows = new TokenRows(session, batch);
        this.acting = new Acting(session, batch, training, cached == null ? null : cached.stacks());
        this.substitutions = new Substitutions(session, batch, acting);
        this.promptEdits = new PromptEdits(session, batch, acting);
        this.promptScales = new PromptScales(session, batch, acting, cached == null ? null : cached.vectors());
    }

    /** What is kept between passes: a cache in which the batch's rows lie somewhere, and stacks. */
    private record Cached(KeyValueCache cache, CacheLayout rows, ResidentStacks stacks) {
        PromptScales.Kept vectors() {
            return new PromptScales.Kept(cache.vectors(), rows::slot);
        }

        Tensor attention(int layer, Tensor q, Tensor k, Tensor v, double scale, List<AttentionPrefix> prefixes) {
            cache.store(layer, k, v, rows);
            return q.attention(cache, layer, rows, scale, prefixes);
        }
    }

    /** The session it runs in. */
    public Session session() {
        return session;
    }

    /** The rows. */
    public Batch batch() {
        return batch;
    }

    /**
     * One layer of a backbone. What it makes on the way is freed, but for what the tape needs.
     *
     * @param h the residual stream [tokens, width], in whose place the result stands
     */
    public Tensor layer(Tensor h, UnaryOperator<Tensor> layer) {
        session.checkCancelled();
        try (Scope scope = session.scope()) {
            Tensor out = recomputing
                    ? Tape.checkpoint(session, () -> List.of(layer.apply(h)), h).get(0)
                    : layer.apply(h);
            return scope.keepInPlaceOf(h, out);
        }
    }

    /**
     * A linear layer with what adapters do to it.
     *
     * @param site the layer
     * @param x its input [places, in]
     * @param weight its frozen matrix [out, in]
     * @param bias its frozen bias [out]; null for none
     * @param places what x's first axis counts
     * @return [places, out] in x's format
     */
    public Tensor linear(Site site, Tensor x, Weight weight, @Nullable Tensor bias, Places places) {
        if (!touches(site)) {
            return x.linear(weight, bias);
        }
        Tensor input = scaleInput(site, x, places);
        return adapted(site, input, product(site, input, weight, places), weight, bias, places);
    }

    /** Whether a site's base product reads x itself and multiplies it with the base's own matrix, whatever adapters do afterwards. */
    public boolean keepsProduct(Site site) {
        if (acting.isEmpty()) {
            return true;
        }
        return !acting.any(adapter -> !adapter.plan().inputScales(site.name()).isEmpty())
                && !tokenRows.act(site.weightName())
                && !substitutions.any(site.weightName());
    }

    /**
     * The rest of {@link #linear} after the base product, for products that are computed for several sites at once.
     *
     * @param input what the product read [places, in], scaled already
     * @param product input · weightᵀ [places, out]
     */
    public Tensor adapted(
            Site site, Tensor input, Tensor product, Weight weight, @Nullable Tensor bias, Places places) {
        UnaryOperator<Tensor> frozen = some -> product(site, some, weight, places);
        Tensor y = product;
        for (Assignment<Delta> assignment : deltas(site)) {
            OutputRange outputs = assignment.entries().get(0).contribution().outputs();
            UnaryOperator<Tensor> of = some -> Filling.part(outputs, some == input ? product : frozen.apply(some), 1);
            y = y.plus(Filling.up(session, outputs, delta(site, assignment, input, of, places), 1, 0));
        }
        Tensor b = substitutions.vector(site.biasName(), bias, places);
        if (b != null) {
            y = y.plus(b.cast(y.dtype()));
        }
        return scaleOutput(site, y, places);
    }

    /**
     * A sublayer's output with what adapters add to it before the residual stream takes it up.
     *
     * @param x what the sublayer reads [tokens, width]
     * @param z what it gives [tokens, width]
     * @return [tokens, width] in z's format; z itself where nothing acts
     */
    public Tensor sublayer(int layer, Sublayer sublayer, Tensor x, Tensor z) {
        if (!acting.any(adapter -> adapter.plan().hasSublayerDeltas())) {
            return z;
        }
        Tensor y = z;
        for (Assignment<SublayerDelta> assignment : acting.alike(
                plan -> plan.sublayerDeltas(layer, sublayer), delta -> List.of(delta.formula(), delta.reads()))) {
            SublayerDelta any = assignment.entries().get(0).contribution();
            SublayerFormula formula = any.formula();
            List<Tensor> parameters = acting.parameters(assignment, SublayerDelta::parameters, formula::paddedAxis);
            Tensor read = any.reads() == Reads.INPUT ? x : y;
            y = y.plus(
                    formula.apply(new SublayerPart(read, parameters, acting.segmentsOf(assignment, batch.tokens()))));
        }
        return y;
    }

    private record SublayerPart(
            Tensor x, List<Tensor> parameters, @Nullable Segments segments) implements SublayerInput {
        @Override
        public Tensor parameter(int number) {
            return parameters.get(number);
        }
    }

    /** The embeddings of the batch's tokens [tokens, width], with what adapters do to them, virtual tokens' vectors among them. */
    public Tensor embedding(Site site, Index ids, Weight weight, Places places) {
        return tokenRows.withVirtualTokens(rows(site.weightName(), ids, weight, places));
    }

    /** Rows by number of a parameter that is no site, such as learned positions [places, width]. */
    public Tensor rows(String parameter, Index ids, Weight weight, Places places) {
        return substitutions.any(parameter) || tokenRows.act(parameter)
                ? tokenRows.lookup(parameter, ids, weight, places, group -> replacement(parameter, group))
                : Tensor.rows(session, weight, ids);
    }

    /** RMS norm of x [places, …, width] with the named parameter [width]. */
    public Tensor rmsNorm(String name, Tensor x, Tensor weight, double eps, Places places) {
        String parameter = name + ".weight";
        if (!substitutions.any(parameter)) {
            return x.rmsNorm(weight, eps);
        }
        return substitutions.apart(
                parameter,
                places,
                (replacement, range) ->
                        range.of(x).rmsNorm(replacement == null ? weight : replacement.cast(x.dtype()), eps));
    }

    /** Layer norm with the named parameters [width]. */
    public Tensor layerNorm(String name, Tensor x, Tensor weight, Tensor bias, double eps, Places places) {
        Tensor w =
                required(substitutions.vector(name + ".weight", weight, places)).cast(x.dtype());
        Tensor b = required(substitutions.vector(name + ".bias", bias, places)).cast(x.dtype());
        if (w.shape().rank() == 1 && b.shape().rank() == 1) {
            return x.layerNorm(w, b, eps);
        }
        return w.shape().rank() == 1
                ? x.layerNorm(w, null, eps).plus(b)
                : x.layerNorm(null, null, eps).times(w).plus(b);
    }

    /** The keys and values that adapters put before the rows of a layer, in a format. */
    private List<AttentionPrefix> prefixes(int layer, DType dtype) {
        List<AttentionPrefix> found = new ArrayList<>();
        Places tokens = batch.tokens();
        for (int g = 0; g < batch.groups().size(); g++) {
            for (ActiveAdapter adapter : batch.groups().get(g).adapters()) {
                KeyValues prefix = adapter.plan().keyValues(layer);
                if (prefix != null) {
                    found.add(new AttentionPrefix(
                            tokens.offset(g),
                            tokens.offset(g + 1),
                            adapter.parameter(prefix.keys()).cast(dtype),
                            adapter.parameter(prefix.values()).cast(dtype)));
                }
            }
        }
        return found;
    }

    /**
     * A layer's attention inside rows, with the prefixes of the rows' adapters.
     *
     * @param q queries [tokens, heads, head dim], rotated already
     * @param k keys [tokens, kv heads, head dim], normed and rotated already
     * @param v values like k
     * @return [tokens, heads · head dim]
     */
    public Tensor attention(int layer, Tensor q, Tensor k, Tensor v, boolean causal, double scale) {
        observer.accept(layer, k, v);
        List<AttentionPrefix> prefixes = prefixes(layer, q.dtype());
        Tensor out;
        if (cached == null) {
            out = q.attention(k, v, batch.layout(), causal, scale, prefixes);
        } else if (causal) {
            out = cached.attention(layer, q, k, v, scale, prefixes);
        } else {
            throw new IllegalStateException("only a decoder's keys can be kept: others change with every token");
        }
        return out.reshape(q.shape().dim(0), q.shape().dim(1) * q.shape().dim(2));
    }

    /** Tells that a layer begins, and its input [tokens, width]. */
    public void layerInput(int layer, Tensor h) {
        promptScales.enter(layer, h);
    }

    /** The residual stream behind a layer, as adapters leave it: [tokens, width]. */
    public Tensor layerOutput(int layer, Tensor h) {
        return promptEdits.apply(layer, h);
    }

    /** Sees every layer's keys and values as the attention does. */
    @FunctionalInterface
    public interface KeyValueObserver {
        /** Called once a layer, before its attention. */
        void accept(int layer, Tensor keys, Tensor values);
    }

    /**
     * The parameter that replaces one of the base in a group: its last adapter's that has one.
     *
     * @return null if the base's own is used
     */
    public @Nullable Tensor replacement(String baseParameter, int group) {
        return substitutions.of(baseParameter, group);
    }

    /** Whether adapters touch a site's product in any group. */
    public boolean touches(Site site) {
        if (acting.isEmpty()) {
            return false;
        }
        return acting.any(adapter -> adapter.plan().acts(site.name()))
                || tokenRows.act(site.weightName())
                || substitutions.any(site.weightName())
                || substitutions.any(site.biasName());
    }

    // ---- scalings ----

    private Tensor scaleInput(Site site, Tensor x, Places places) {
        Tensor scaled = x;
        for (Assignment<InputScale> assignment : acting.assignments(plan -> plan.inputScales(site.name()))) {
            scaled = scaled.times(
                    scale(assignment, InputScale::scale, Acting.parameter(InputScale::scale), places, x.dtype()));
        }
        return scaled;
    }

    private Tensor scaleOutput(Site site, Tensor y, Places places) {
        Tensor scaled = y;
        for (Assignment<OutputScale> assignment : acting.assignments(plan -> plan.outputScales(site.name()))) {
            scaled = scaled.times(scale(
                    assignment,
                    scale -> scale.scale() + " at " + scale.outputs().begin(),
                    entry -> Filling.up(
                            session,
                            entry.contribution().outputs(),
                            entry.adapter().parameter(entry.contribution().scale()),
                            0,
                            1),
                    places,
                    y.dtype()));
        }
        return promptScales.scale(site, scaled, places);
    }

    private <C> Tensor scale(
            Assignment<C> assignment,
            Function<C, String> key,
            Function<Entry<C>, Tensor> value,
            Places places,
            DType dtype) {
        Tensor stacked = acting.stack(assignment, key, value, -1, dtype);
        return assignment.isUniform()
                ? stacked
                : stacked.repeat(
                        acting.segments(
                                places, assignment.slots(), assignment.entries().size()),
                        1);
    }

    // ---- products ----

    private Tensor product(Site site, Tensor x, Weight weight, Places places) {
        String name = site.weightName();
        Tensor y = !substitutions.any(name)
                ? x.linear(weight, null)
                : substitutions.apart(name, places, (replacement, range) -> {
                    Tensor part = range.of(x);
                    return replacement == null
                            ? part.linear(weight, null)
                            : part.cast(replacement.dtype()).linear(replacement).cast(x.dtype());
                });
        return tokenRows.act(name) ? tokenRows.product(name, x, y, places) : y;
    }

    private List<Assignment<Delta>> deltas(Site site) {
        return acting.alike(plan -> plan.deltas(site.name()), delta -> List.of(delta.formula(), delta.outputs()));
    }

    private Tensor delta(
            Site site, Assignment<Delta> assignment, Tensor x, UnaryOperator<Tensor> frozen, Places places) {
        DeltaFormula formula = assignment.entries().get(0).contribution().formula();
        List<Tensor> parameters = acting.parameters(assignment, Delta::parameters, formula::paddedAxis);
        Segments which = acting.segmentsOf(assignment, places);
        Dropout dropout = acting.dropout(site.name(), assignment, Delta::dropout, places);
        return formula.apply(new SiteInput(x, frozen, parameters, which, dropout));
    }

    private record SiteInput(
            Tensor x,
            UnaryOperator<Tensor> frozen,
            List<Tensor> parameters,
            @Nullable Segments segments,
            @Nullable Dropout dropout)
            implements DeltaInput {
        @Override
        public Tensor product(Tensor input) {
            return frozen.apply(input);
        }

        @Override
        public Tensor parameter(int number) {
            return parameters.get(number);
        }
    }

    private static Tensor required(@Nullable Tensor tensor) {
        if (tensor == null) {
            throw new IllegalStateException(
                    "an adapter replaces a parameter that the base model does not have in every group");
        }
        return tensor;
    }
}
