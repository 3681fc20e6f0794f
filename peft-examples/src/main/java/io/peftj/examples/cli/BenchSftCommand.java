package io.peftj.examples.cli;

import io.peftj.core.InvalidConfigException;
import io.peftj.core.adapter.Adapter;
import io.peftj.core.io.AtomicFiles;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.chat.ChatTemplate;
import io.peftj.djl.chat.Message;
import io.peftj.djl.serve.Completion;
import io.peftj.djl.serve.Generator;
import io.peftj.djl.train.AdapterTrainer;
import io.peftj.djl.train.AnswerTask;
import io.peftj.djl.train.Evaluation;
import io.peftj.djl.train.Example;
import io.peftj.djl.train.ProgressBar;
import io.peftj.djl.train.PromptAnswer;
import io.peftj.djl.train.Tasks;
import io.peftj.examples.cli.data.E2eData;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Teaches a chat model to put facts into a sentence, and measures how well and how fast. */
@Command(
        name = "sft",
        header = "Measures teaching a chat model to put facts into a sentence.",
        description = {
            "Trains a chat model on e2e_nlg: facts of a place inside the model's own chat template, a sentence and the end token"
                    + " as the answer, of which alone the loss is; then the loss a token on the 630 test inputs.",
            "AdamW without weight decay, linear decay after 6 %% warm-up, gradients clipped to 1. --answers writes greedy answers"
                    + " to the first 100 test inputs, to be scored."
        })
final class BenchSftCommand implements Callable<Integer> {
    private static final String BASE = "base";
    private static final int ANSWERED = 100;
    private static final int ANSWERED_AT_ONCE = 20;

    private final ModelOpener opener;

    @Spec
    private CommandSpec command;

    @Mixin
    private ModelOptions model;

    @Option(
            names = "--data",
            required = true,
            paramLabel = "DIR",
            description = "The folder of e2e_nlg, with devset.csv and testset_w_refs.csv.")
    private Path data;

    @Option(
            names = "--method",
            defaultValue = "lora",
            paramLabel = "METHOD",
            description =
                    "What to train: " + MethodOptions.NAMES + "; base trains nothing (default: ${DEFAULT-VALUE}).")
    private String method;

    @Mixin
    private MethodOptions methodOptions;

    @Mixin
    private final BenchRecipe recipe = new BenchRecipe(1, 5e-4, 8);

    @Option(
            names = "--shots",
            defaultValue = "0",
            paramLabel = "N",
            converter = Numbers.CountOrNone.class,
            description =
                    "Training rows, drawn by --seed, that the base's prompt shows as earlier turns (default: ${DEFAULT-VALUE}).")
    private int shots;

    @Option(
            names = "--dev",
            description =
                    "Choose settings: train on a quarter of the training rows and measure on references of the development"
                            + " set that training leaves out.")
    private boolean development;

    @Option(
            names = "--answers",
            paramLabel = "FILE",
            description = "Write greedy answers to the first 100 test inputs, one a line, line breaks as spaces.")
    private @Nullable Path answers;

    BenchSftCommand(ModelOpener opener) {
        this.opener = opener;
    }

    @Override
    public Integer call() {
        E2eData rows = development ? E2eData.development(data) : E2eData.read(data);
        try (Backbone base = model.openToMeasure(opener)) {
            ChatTemplate chat = base.tokenizer().chatTemplate();
            List<Message> shown = shown(rows.train());
            AnswerTask task = Tasks.answers().template(chat.prompt(turns(shown, "{text}")));
            RunSummary run = new RunSummary();
            Adapter adapter = trained(base, task, rows.train(), run);
            Evaluation test = adapter == null
                    ? Measurement.ofBase(base, task, rows.test())
                    : Measurement.of(base, adapter, task, rows.test());
            List<String> texts = answers == null ? List.of() : answers(base, chat, shown, adapter, rows.test());
            print(test, run, adapter == null ? Double.NaN : tokens(base, task, rows.train()) / run.seconds());
            if (answers != null) {
                write(answers, texts);
            }
        }
        return 0;
    }

    /** Earlier turns of the conversation, in which the model seems to have done the task already. */
    private List<Message> shown(List<PromptAnswer> train) {
        if (shots == 0) {
            return List.of();
        }
        if (!method.equals(BASE)) {
            throw new InvalidConfigException(
                    "--shots " + shots + ": expected --method base, which trains nothing, found " + method
                            + "; name it, or leave --shots out");
        }
        List<PromptAnswer> drawn = new ArrayList<>(train);
        Collections.shuffle(drawn, new Random(recipe.seed()));
        return drawn.stream()
                .limit(shots)
                .flatMap(row -> Stream.of(Message.user(row.prompt()), Message.assistant(row.answer())))
                .toList();
    }

    private static List<Message> turns(List<Message> shown, String last) {
        List<Message> turns = new ArrayList<>(shown);
        turns.add(Message.user(last));
        return turns;
    }

    private @Nullable Adapter trained(Backbone base, AnswerTask task, List<PromptAnswer> rows, RunSummary run) {
        if (!method.equals(BASE)) {
            return train(base, task, rows, run);
        }
        methodOptions.refuseAll(BASE);
        return null;
    }

    private Adapter train(Backbone base, AnswerTask task, List<PromptAnswer> rows, RunSummary run) {
        return recipe.applyTo(
                        AdapterTrainer.on(base)
                                .method(methodOptions.config(method))
                                .task(task),
                        task.examples(base, 0, rows).stream().mapToInt(Example::length))
                .listener(run)
                .listener(ProgressBar.toStderr())
                .fit(rows);
    }

    /** Tokens that a run goes through. */
    private double tokens(Backbone base, AnswerTask task, List<PromptAnswer> rows) {
        return (double) recipe.epochs()
                * task.examples(base, 0, rows).stream()
                        .mapToInt(Example::length)
                        .sum();
    }

    private static List<String> answers(
            Backbone base, ChatTemplate chat, List<Message> shown, @Nullable Adapter adapter, List<PromptAnswer> test) {
        // An adapter brings the template it was trained with.
        List<String> prompts = test.stream()
                .limit(ANSWERED)
                .map(row -> adapter == null ? chat.prompt(turns(shown, row.prompt())) : row.prompt())
                .toList();
        List<String> texts = new ArrayList<>();
        try (Generator generator = adapter == null ? Generator.of(base) : Generator.of(base, adapter)) {
            for (int from = 0; from < prompts.size(); from += ANSWERED_AT_ONCE) {
                List<String> some = prompts.subList(from, Math.min(prompts.size(), from + ANSWERED_AT_ONCE));
                // Of at most 64 tokens, as a generator has it and the other side.
                generator.generate(some).stream().map(Completion::text).forEach(texts::add);
            }
        }
        return texts;
    }

    private static void write(Path file, List<String> texts) {
        StringBuilder lines = new StringBuilder();
        texts.forEach(text -> lines.append(text.strip().replaceAll("\\R", " ")).append('\n'));
        AtomicFiles.write(file, AtomicFiles.Content.of(lines.toString()));
    }

    private void print(Evaluation test, RunSummary run, double tokensPerSecond) {
        new JsonLine()
                .put("side", "peftj")
                .put("data", data.toAbsolutePath().normalize().getFileName().toString())
                .put("method", method)
                .put("dtype", model.dtypeName())
                .put("lr", recipe.learningRate())
                .put("epochs", recipe.epochs())
                .put("seed", recipe.seed())
                .put("shots", shots)
                .putRounded("answer_nll", test.loss(), 4)
                .putRounded("train_s", run.seconds(), 1)
                .putRounded("tokens_per_s", tokensPerSecond, 1)
                .put("trainable", run.trainable())
                .put("peak_rss_mib", Rss.peakMib())
                .print(command.commandLine().getOut());
    }
}
