package io.peftj.core.run;

import io.peftj.core.adapter.Contribution.PromptFormula;
import io.peftj.core.adapter.Contribution.PromptInput;
import io.peftj.core.adapter.Contribution.PromptScale;
import io.peftj.core.site.OutputRange;
import io.peftj.core.site.Site;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Index;
import io.peftj.core.tensor.Segments;
import io.peftj.core.tensor.Session;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.SlotVectors;
import io.peftj.core.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Vectors that adapters make of rows' prompts at a layer's input, and the scaling of that layer's sites with them.
 *
 * <p>They are made where a prompt is read. Passes that go on behind it find them beside the keys and values that are kept.
 */
final class PromptScales {
    private final Session session;
    private final Batch batch;
    private final Acting acting;
    private final @Nullable Kept kept;
    /** The factors at the sites of the layer that is computed, by site [rows, out]. */
    private Map<String, Tensor> factors = Map.of();

    private final Map<BitSet, Prompts> known = new HashMap<>();

    PromptScales(Session session, Batch batch, Acting acting, @Nullable Kept kept) {
        this.session = session;
        this.batch = batch;
        this.acting = acting;
        this.kept = kept;
    }

    /**
     * What earlier passes kept.
     *
     * @param slot of a row of the batch
     */
    record Kept(SlotVectors vectors, IntUnaryOperator slot) {}

    /** Makes the factors of a layer's sites of its input [tokens, width]. */
    void enter(int layer, Tensor h) {
        factors = Map.of();
        List<Assignment<PromptScale>> assignments =
                acting.alike(plan -> plan.promptScales(layer), scale -> List.of(scale.formula(), scale.outputs()));
        if (assignments.isEmpty()) {
            return;
        }
        Map<String, Tensor> made = new HashMap<>();
        Map<String, BitSet> goingOn = new HashMap<>();
        for (Assignment<PromptScale> assignment : assignments) {
            Prompts prompts = prompts(assignment);
            List<OutputRange> outputs =
                    assignment.entries().get(0).contribution().outputs();
            if (prompts.rows().size() > 0) {
                int[] sizes = outputs.stream().mapToInt(OutputRange::size).toArray();
                List<Tensor> vectors = vectors(assignment, h, prompts).split(1, sizes);
                for (int i = 0; i < sizes.length; i++) {
                    Tensor filled = Filling.up(session, outputs.get(i), vectors.get(i), 1, 1);
                    made.merge(outputs.get(i).site().name(), prompts.toAllRows(filled), Tensor::times);
                }
            }
            for (OutputRange range : outputs) {
                goingOn.computeIfAbsent(range.site().name(), name -> new BitSet())
                        .or(prompts.goingOn());
            }
        }
        factors = new HashMap<>();
        goingOn.forEach((site, rows) -> {
            Tensor all = kept == null ? made.get(site) : keep(kept, site, made.get(site), rows);
            if (all != null) {
                factors.put(site, all);
            }
        });
    }

    /** y [tokens, out] of a site of the layer that was entered last, scaled. */
    Tensor scale(Site site, Tensor y, Places places) {
        Tensor ofRows = factors.get(site.name());
        if (ofRows == null) {
            return y;
        }
        if (places != batch.tokens()) {
            throw new IllegalStateException("vectors of prompts scale " + site.name() + " at all tokens only");
        }
        return y.times(ofRows.cast(y.dtype()).repeat(batch.layout().segments(), 1));
    }

    // ---- making ----

    /**
     * The prompts that an assignment reads in this pass.
     *
     * @param all number of the batch's rows
     * @param rows whose prompts these are
     * @param numbers the rows' numbers
     * @param tokens the prompts' tokens
     * @param tokenNumbers the tokens' numbers
     * @param first of each prompt
     * @param last of each prompt
     * @param segments which tokens belong to which prompt
     * @param goingOn rows whose prompts an earlier pass has read
     */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Prompts(
            int all,
            Places rows,
            int[] numbers,
            Places tokens,
            Index tokenNumbers,
            Index first,
            Index last,
            Segments segments,
            BitSet goingOn) {
        /** Factors [rows, out] of these rows with ones for the batch's others. */
        Tensor toAllRows(Tensor ofRows) {
            if (numbers.length == all) {
                return ofRows;
            }
            long[] from = new long[all];
            Arrays.fill(from, numbers.length);
            for (int i = 0; i < numbers.length; i++) {
                from[numbers[i]] = i;
            }
            return Tensor.concat(List.of(ofRows, ones(ofRows)), 0)
                    .gather(ofRows.session().index(from));
        }
    }

    private static Tensor ones(Tensor like) {
        Shape row = like.shape().with(0, 1);
        return like.session().tensor(HostTensor.filled(row, 1), like.dtype());
    }

    private Prompts prompts(Assignment<PromptScale> assignment) {
        BitSet groups = new BitSet();
        for (int group = 0; group < assignment.slots().length; group++) {
            groups.set(group, assignment.slot(group) != Segments.NONE);
        }
        return known.computeIfAbsent(groups, this::read);
    }

    private Prompts read(BitSet groups) {
        int all = batch.rows().size();
        int[] groupOffsets = new int[batch.groups().size() + 1];
        BitSet goingOn = new BitSet();
        List<Integer> rows = new ArrayList<>();
        for (int group = 0; group < batch.groups().size(); group++) {
            if (groups.get(group)) {
                batch.rowsOf(group).forEach(row -> {
                    if (batch.rows().get(row).before() > 0) {
                        goingOn.set(row);
                    } else {
                        rows.add(row);
                    }
                });
            }
            groupOffsets[group + 1] = rows.size();
        }
        if (kept == null && !goingOn.isEmpty()) {
            throw new IllegalStateException(
                    "rows " + goingOn + " go on behind prompts whose vectors nobody kept; run them with their cache");
        }
        int[] numbers = rows.stream().mapToInt(Integer::intValue).toArray();
        int[] offsets = new int[numbers.length + 1];
        for (int i = 0; i < numbers.length; i++) {
            offsets[i + 1] = offsets[i] + batch.rows().get(numbers[i]).prompt();
        }
        int[] tokens = Arrays.stream(numbers)
                .flatMap(row ->
                        IntStream.range(0, batch.rows().get(row).prompt()).map(token -> batch.firstToken(row) + token))
                .toArray();
        int[] wholeRow = new int[numbers.length];
        Arrays.fill(wholeRow, Places.WHOLE_ROW);
        return new Prompts(
                all,
                new Places(groupOffsets, numbers, wholeRow),
                numbers,
                batch.select(tokens),
                index(Arrays.stream(tokens)),
                index(Arrays.stream(numbers).map(batch::firstToken)),
                index(Arrays.stream(numbers)
                        .map(row ->
                                batch.firstToken(row) + batch.rows().get(row).prompt() - 1)),
                Segments.of(session, offsets),
                goingOn);
    }

    private Index index(IntStream numbers) {
        return session.index(numbers.asLongStream().toArray());
    }

    private Tensor vectors(Assignment<PromptScale> assignment, Tensor h, Prompts prompts) {
        PromptFormula formula = assignment.entries().get(0).contribution().formula();
        return formula.apply(new Input(
                h,
                prompts,
                acting.parameters(assignment, PromptScale::parameters, formula::paddedAxis),
                acting.segmentsOf(assignment, prompts.rows()),
                acting.segmentsOf(assignment, prompts.tokens())));
    }

    private record Input(
            Tensor h,
            Prompts prompts,
            List<Tensor> parameters,
            @Nullable Segments segments,
            @Nullable Segments tokenSegments)
            implements PromptInput {
        @Override
        public Tensor first() {
            return at(prompts.first());
        }

        @Override
        public Tensor last() {
            return at(prompts.last());
        }

        @Override
        public Tensor tokens() {
            return at(prompts.tokenNumbers());
        }

        @Override
        public Segments rows() {
            return prompts.segments();
        }

        @Override
        public Tensor parameter(int number) {
            return parameters.get(number);
        }

        private Tensor at(Index numbers) {
            DType dtype = parameters.get(0).dtype();
            return h.gather(numbers).cast(dtype);
        }
    }

    // ---- keeping ----

    /**
     * The factors of all rows, those of rows that go on from what is kept; kept again for the next pass.
     *
     * @param made factors of this pass [rows, out], with ones where nothing acts; null if no prompt is read
     * @param goingOn rows whose factors an earlier pass has made
     */
    private Tensor keep(Kept before, String site, @Nullable Tensor made, BitSet goingOn) {
        int rows = batch.rows().size();
        int[] slots = IntStream.range(0, rows).map(before.slot()).toArray();
        Tensor all = made;
        if (!goingOn.isEmpty()) {
            Tensor earlier = before.vectors().get(session, site);
            if (made == null
                    && goingOn.cardinality() == rows
                    && before.vectors().isKept(site, slots)) {
                return earlier;
            }
            Tensor others = made == null ? ones(earlier) : made;
            long[] from = new long[rows];
            for (int row = 0; row < rows; row++) {
                int own = made == null ? 0 : row;
                from[row] = goingOn.get(row)
                        ? others.shape().dim(0) + before.vectors().place(site, slots[row])
                        : own;
            }
            all = Tensor.concat(List.of(others, earlier), 0).gather(session.index(from));
        }
        if (all == null) {
            throw new IllegalStateException("no prompt was read for the factors of " + site);
        }
        before.vectors().keep(site, slots, all);
        return all;
    }
}
