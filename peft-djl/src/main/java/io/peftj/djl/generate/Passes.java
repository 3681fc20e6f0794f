package io.peftj.djl.generate;

import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.run.ActiveAdapter;
import io.peftj.core.run.Batch;
import io.peftj.core.run.ResidentAdapter;
import io.peftj.core.run.ResidentStacks;
import io.peftj.core.run.Row;
import io.peftj.core.run.Run;
import io.peftj.core.run.Stack;
import io.peftj.core.tensor.CacheLayout;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.KeyValueCache;
import io.peftj.core.tensor.Session;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Tensor;
import io.peftj.djl.backbone.Backbone;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Queue;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;

/** The passes of a generation, one after another, and the cache between them. */
final class Passes implements AutoCloseable {
    /** Rows that advance at once. */
    private static final int ROWS = 64;

    /** Tokens that the cache has room for, unless one row needs more. */
    private static final int CACHED_TOKENS = 1 << 14;

    /** Tokens of a pass after which no further prompt is taken in: more make it no faster, but larger. */
    private static final int PASS_TOKENS = 1 << 11;

    private static final float[] NONE = {};

    private final Backbone base;
    private final KeyValueCache cache;
    private final ResidentStacks stacks;
    private Set<List<ResidentAdapter>> stacked = Set.of();
    private final Deque<Sequence> waiting;
    private final List<Placed> open = new ArrayList<>();
    private final Queue<Integer> freeSlots = new PriorityQueue<>();

    /** A sequence and its slot in the cache. */
    private record Placed(Sequence sequence, int slot) {}

    private Passes(Backbone base, List<Sequence> sequences, KeyValueCache cache) {
        this.base = base;
        this.cache = cache;
        this.stacks = new ResidentStacks(base.backend());
        this.waiting = new ArrayDeque<>(sequences);
        for (int slot = 0; slot < cache.slots(); slot++) {
            freeSlots.add(slot);
        }
    }

    /** Makes room for sequences, at least one. */
    static Passes open(Backbone base, List<Sequence> sequences) {
        BackboneSpec spec = base.spec();
        // The last new token is not computed with.
        int longest = sequences.stream()
                .mapToInt(s -> s.prompt().virtualTokens()
                        + s.prompt().length()
                        + s.prompt().maxTokens()
                        - 1)
                .max()
                .orElseThrow();
        int slots = Math.min(Math.min(ROWS, sequences.size()), Math.max(1, CACHED_TOKENS / longest));
        Shape shape = Shape.of(slots, spec.keyValueHeads(), longest, spec.headDim());
        return new Passes(base, sequences, KeyValueCache.open(base.backend(), spec.layers(), shape, base.dtype()));
    }

    /** Whether a sequence is not done. */
    boolean hasNext() {
        return !open.isEmpty() || !waiting.isEmpty();
    }

    /**
     * Gives every row one more token, rows that had to wait included where there is room.
     *
     * @param held the model
     * @param cancelled asked between layers whether to stop
     */
    void next(Backbone.Held held, BooleanSupplier cancelled, TokenListener listener) {
        admit();
        forgetOtherStacks();
        List<Next> next = held.call(cancelled, session -> session.deferred(() -> compute(session)));
        for (int i = 0; i < next.size(); i++) {
            Placed row = open.get(i);
            row.sequence().add(next.get(i).token(row.sequence()), listener);
            if (row.sequence().isDone()) {
                freeSlots.add(row.slot());
            }
        }
        open.removeIf(row -> row.sequence().isDone());
    }

    private void admit() {
        int tokens = open.size();
        while (!waiting.isEmpty() && !freeSlots.isEmpty() && tokens < PASS_TOKENS) {
            Sequence next = waiting.remove();
            open.add(new Placed(next, freeSlots.remove()));
            tokens += next.prompt().virtualTokens() + next.prompt().length();
        }
    }

    /** What was stacked of other adapters than the open rows' is of no use any more. */
    private void forgetOtherStacks() {
        Set<List<ResidentAdapter>> now = new HashSet<>();
        open.forEach(row -> now.add(row.sequence().prompt().adapters()));
        if (!now.equals(stacked)) {
            stacks.close();
            stacked = now;
        }
    }

    /**
     * What a pass gives of a row.
     *
     * @param likeliest the token with the greatest logit
     * @param greatest that logit
     * @param logits of all tokens where they are asked for; else none
     */
    @SuppressWarnings("ArrayRecordComponent") // read once
    private record Next(int likeliest, double greatest, float[] logits) {
        int token(Sequence sequence) {
            TokenChooser chooser = sequence.prompt().chooser();
            return chooser.isGreedy() ? Sampling.finite(likeliest, greatest) : chooser.choose(sequence.ids(), logits);
        }
    }

    /** The open rows' next tokens or logits, in their order. */
    private List<Next> compute(Session session) {
        Batch batch = Batch.of(session, base.spec(), rows(session));
        int rows = batch.rows().size();
        int[] slots = new int[rows];
        int[] before = new int[rows];
        int[] last = new int[rows];
        for (int r = 0; r < rows; r++) {
            Placed placed = open.get(batch.callersRow(r));
            slots[r] = placed.slot();
            before[r] = batch.keptBefore(r);
            last[r] = batch.layout().begin(r + 1) - 1;
        }
        CacheLayout layout = CacheLayout.of(session, batch.layout(), slots, before);
        Run run = Run.cached(session, batch, cache, layout, stacks);
        Tensor hidden = base.transformer().hiddenStates(run);
        Tensor states =
                hidden.gather(session.index(Arrays.stream(last).asLongStream().toArray()));
        return batch.inCallersOrder(next(base.outputs().logits(run, states, batch.select(last)), batch));
    }

    /** Of rows whose likeliest token is chosen that alone is read, of others all logits. */
    private List<Next> next(Tensor logits, Batch batch) {
        double[] largest = logits.largest();
        int rows = logits.shape().dim(0);
        int[] chosen = IntStream.range(0, rows)
                .filter(r -> !open.get(batch.callersRow(r))
                        .sequence()
                        .prompt()
                        .chooser()
                        .isGreedy())
                .toArray();
        int vocabulary = logits.shape().dim(1);
        float[] values = chosen.length == 0 ? NONE : some(logits, chosen).values();
        Next[] next = new Next[rows];
        Arrays.setAll(next, r -> new Next((int) largest[2 * r], largest[2 * r + 1], NONE));
        for (int i = 0; i < chosen.length; i++) {
            float[] ofRow = Arrays.copyOfRange(values, i * vocabulary, (i + 1) * vocabulary);
            next[chosen[i]] = new Next(next[chosen[i]].likeliest(), next[chosen[i]].greatest(), ofRow);
        }
        return List.of(next);
    }

    private static HostTensor some(Tensor logits, int... rows) {
        Tensor chosen = rows.length == logits.shape().dim(0)
                ? logits
                : logits.gather(logits.session()
                        .index(Arrays.stream(rows).asLongStream().toArray()));
        return chosen.cast(DType.F32).toHost();
    }

    /** What each open row has new; equal adapters get one stack, which is what groups rows. */
    private List<Row> rows(Session session) {
        Map<ResidentAdapter, ActiveAdapter> active = new HashMap<>();
        Map<List<ResidentAdapter>, Stack> stacks = new HashMap<>();
        List<Row> rows = new ArrayList<>();
        for (Placed placed : open) {
            Stack stack = stacks.computeIfAbsent(
                    placed.sequence().prompt().adapters(),
                    adapters -> new Stack(adapters.stream()
                            .map(adapter -> active.computeIfAbsent(adapter, a -> a.in(session)))
                            .toList()));
            rows.add(Row.of(stack, rows.size(), placed.sequence().unseen())
                    .after(placed.sequence().seen()));
        }
        return rows;
    }

    @Override
    public void close() {
        stacks.close();
        cache.close();
    }
}
