package io.peftj.benchmarks.compare;

import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Fine-tuning of a chat model on real text. */
@Command(
        name = "sft",
        header = "Compares teaching a chat model to put facts into a sentence.",
        description = {
            "Compares speed, memory, the loss of test answers and their BLEU on e2e_nlg, a seed a round. Among methods, base is the"
                    + " frozen model and few-shot-N the same with N training rows in its prompt.",
            "To be run from the root of a checkout, with a Python that has sacrebleu too."
        })
final class SftWorkload extends Workload {
    private static final String SCRIPT = "sft_peft.py";
    private static final Path SCORER = Path.of("benchmarks", "peers", "score_answers.py");

    private static final Pattern FEW_SHOT = Pattern.compile("few-shot-(\\d+)");

    @Mixin
    private final RecipeOptions recipe = new RecipeOptions(1e-3, 1);

    SftWorkload(Comparison comparison) {
        super(comparison, new CompareOptions(List.of("lora", "ia3", "prefix"), List.of("float32")));
    }

    @Override
    String name() {
        return "sft";
    }

    @Override
    List<Metric> metrics() {
        return List.of(
                Metric.more("tokens_per_s", "tokens/s", 1),
                Metric.less("answer_nll", "loss a token of test answers", 4),
                Metric.more("bleu", "BLEU of 100 greedy answers", 1),
                Metric.peakMemory());
    }

    @Override
    JsonObject settings() {
        JsonObject settings = options().settings(this);
        recipe.addTo(settings);
        return settings;
    }

    @Override
    String title() {
        return recipe.title();
    }

    @Override
    List<String> scripts() {
        return List.of(SCRIPT);
    }

    @Override
    Map<Side, Attempt> attempts(Case of, int round) {
        Words work = recipe.words(of, round);
        Words ours = Words.of(options().python(), SCORER, recipe.data())
                .and(ours(of))
                .and("--data", recipe.data())
                .and(work);
        Words peer = options()
                .peer(SCRIPT, of)
                .and("--dtype", of.dtype())
                .and(work)
                .and(options().model(), recipe.data());
        Map<Side, Attempt> attempts = new EnumMap<>(Side.class);
        attempts.put(Side.OURS, new Attempt.Command(ours));
        attempts.put(Side.PEER, new Attempt.Command(peer));
        return attempts;
    }

    private Words ours(Case of) {
        Matcher fewShot = FEW_SHOT.matcher(of.method());
        return fewShot.matches()
                ? options().ours(this, new Case("base", of.dtype())).and("--shots", fewShot.group(1))
                : options().ours(this, of);
    }
}
