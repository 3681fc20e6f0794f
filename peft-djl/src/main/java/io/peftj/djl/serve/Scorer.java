package io.peftj.djl.serve;

import io.peftj.core.adapter.Adapter;
import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.run.Stack;
import io.peftj.core.tensor.Session;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.backbone.TextEncoder;
import io.peftj.djl.train.Example;
import io.peftj.djl.train.Objective;
import io.peftj.djl.train.Predictor;
import io.peftj.djl.train.PromptAnswer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Says how likely a language model finds texts, with or without an adapter. Thread-safe. */
public final class Scorer implements AutoCloseable {
    private final Source source;

    private Scorer(Source source) {
        this.source = source;
    }

    /** The base model's own scores. */
    public static Scorer of(Backbone base) {
        return new Scorer(Source.of(base));
    }

    /**
     * Scores under an adapter.
     *
     * @throws io.peftj.core.IncompatibleAdapterException if the adapter was made for another model
     */
    public static Scorer of(Backbone base, Adapter adapter) {
        return new Scorer(Source.of(base, adapter));
    }

    /**
     * How likely something is.
     *
     * @param nll the negative log-likelihood in nats, summed over the tokens
     * @param tokens how many tokens were predicted
     */
    public record Score(double nll, int tokens) {
        /** Nats a token; not a number where nothing was predicted, as of a text of one token. */
        public double perToken() {
            return nll / tokens;
        }
    }

    /**
     * Scores of texts: every token but the first, each from the ones before it; under an adapter of a method that reads the prompt as a whole, those
     * after the first (n + 1) / 2 of a text of n.
     */
    public List<Score> score(List<String> texts) {
        try (Adapters.Leased leased = lease()) {
            ServedAdapter adapter = leased.of(source.name());
            AdapterPlan plan =
                    adapter == null ? null : adapter.resident().plan().plan();
            return examples(texts.stream().map(text -> text(plan, text)).toList());
        }
    }

    /** Scores of answers alone, each after its prompt, which is put into the adapter's template; no end token is added. */
    public List<Score> scoreAnswers(List<PromptAnswer> rows) {
        Backbone base = source.base();
        try (Adapters.Leased leased = lease()) {
            TextEncoder encoder = ServedAdapter.encoder(base, leased.of(source.name()));
            return examples(rows.stream().map(row -> answer(encoder, row)).toList());
        }
    }

    private Example text(@Nullable AdapterPlan plan, String text) {
        int[] ids = source.base().tokenizer().encodePlain(text);
        int prompt = plan == null ? 1 : plan.promptOfText(ids.length);
        return Example.answered(0, Math.min(prompt, ids.length), ids);
    }

    private Example answer(TextEncoder encoder, PromptAnswer row) {
        int[] prompt = encoder.prompt(row.prompt());
        int[] answer = source.base().tokenizer().encodePlain(row.answer());
        int[] ids = Stream.of(prompt, answer).flatMapToInt(Arrays::stream).toArray();
        return Example.answered(0, prompt.length, ids);
    }

    private List<Score> examples(List<Example> examples) {
        Backbone base = source.base();
        List<Score> scores = new ArrayList<>();
        try (Adapters.Leased leased = lease()) {
            ServedAdapter adapter = leased.of(source.name());
            Function<Session, Stack> stack = session ->
                    adapter == null ? Stack.BASE : Stack.of(adapter.resident().in(session));
            List<Double> losses = Objective.NextToken.losses(new Predictor(base, stack, () -> false), examples);
            for (int i = 0; i < examples.size(); i++) {
                scores.add(new Score(losses.get(i), examples.get(i).learnt()));
            }
        }
        return scores;
    }

    private Adapters.Leased lease() {
        return source.lease(source.requests(List.of("")));
    }

    @Override
    public void close() {
        source.close();
    }
}
