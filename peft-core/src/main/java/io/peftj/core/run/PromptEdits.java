package io.peftj.core.run;

import io.peftj.core.adapter.Contribution.EditFormula;
import io.peftj.core.adapter.Contribution.EditInput;
import io.peftj.core.adapter.Contribution.PromptEdit;
import io.peftj.core.adapter.PromptPlaces;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.Dropout;
import io.peftj.core.tensor.Index;
import io.peftj.core.tensor.Segments;
import io.peftj.core.tensor.Session;
import io.peftj.core.tensor.Tensor;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Changes states at some places of the rows' prompts: they are gathered, changed together and put back; no other place is touched. */
final class PromptEdits {
    private final Session session;
    private final Batch batch;
    private final Acting acting;
    /** By what each group's adapter wants; layers mostly want the same. */
    private final Map<List<Optional<PromptPlaces>>, Chosen> known = new HashMap<>();

    PromptEdits(Session session, Batch batch, Acting acting) {
        this.session = session;
        this.batch = batch;
        this.acting = acting;
    }

    /** Chosen tokens: as places, and their numbers in the batch. */
    private record Chosen(Places places, Index tokens) {}

    Tensor apply(int layer, Tensor h) {
        Tensor edited = h;
        for (Assignment<PromptEdit> assignment :
                acting.alike(plan -> plan.promptEdits(layer), edit -> List.of(edit.formula()))) {
            Chosen chosen = chosen(assignment);
            if (chosen.places().size() > 0) {
                edited = edited.addAt(
                        chosen.tokens(), change(layer, assignment, edited.gather(chosen.tokens()), chosen.places()));
            }
        }
        return edited;
    }

    private Chosen chosen(Assignment<PromptEdit> assignment) {
        List<Optional<PromptPlaces>> wanted = Arrays.stream(assignment.slots())
                .mapToObj(slot -> slot == Segments.NONE
                        ? Optional.<PromptPlaces>empty()
                        : Optional.of(
                                assignment.entries().get(slot).contribution().places()))
                .toList();
        return known.computeIfAbsent(wanted, this::choose);
    }

    private Chosen choose(List<Optional<PromptPlaces>> wanted) {
        int[] tokens = IntStream.range(0, wanted.size())
                .boxed()
                .flatMapToInt(group -> wanted.get(group).stream()
                        .flatMapToInt(places -> batch.rowsOf(group)
                                .flatMap(row -> Arrays.stream(
                                                places.of(batch.rows().get(row).prompt()))
                                        .map(token -> batch.firstToken(row) + token))))
                .toArray();
        return new Chosen(
                batch.select(tokens),
                session.index(Arrays.stream(tokens).asLongStream().toArray()));
    }

    /** What is added to states [places, width], in their format. */
    private Tensor change(int layer, Assignment<PromptEdit> assignment, Tensor states, Places places) {
        EditFormula formula = assignment.entries().get(0).contribution().formula();
        List<Tensor> parameters = acting.parameters(assignment, PromptEdit::parameters, formula::paddedAxis);
        Segments which = acting.segmentsOf(assignment, places);
        DType dtype = parameters.get(0).dtype();
        Tensor wide = states.cast(dtype);
        Tensor change = formula.apply(new Input(wide, parameters, which));
        Dropout dropout = acting.dropout("output of layer " + layer, assignment, PromptEdit::dropout, places);
        return (dropout == null ? change : wide.plus(change).dropout(dropout).minus(wide)).cast(states.dtype());
    }

    private record Input(
            Tensor states,
            List<Tensor> parameters,
            @Nullable Segments segments) implements EditInput {
        @Override
        public Tensor parameter(int number) {
            return parameters.get(number);
        }
    }
}
