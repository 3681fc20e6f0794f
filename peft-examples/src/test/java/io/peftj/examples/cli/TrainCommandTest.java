package io.peftj.examples.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.google.gson.JsonObject;
import io.peftj.core.adapter.Adapter;
import io.peftj.core.adapter.AdapterFiles;
import io.peftj.core.io.ConfigReader;
import io.peftj.core.io.Json;
import io.peftj.testkit.TinyModels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TrainCommandTest {
    @TempDir
    Path folder;

    @Test
    void learnsToClassifyAndKnowsItsLabelsWhenEvaluated() throws IOException {
        Path model = TinyModels.bert(folder.resolve("model"), 1);
        Path data = write("opinions.csv", "text,label", opinions("%s,%s"));

        Invocation trained = train(
                model,
                data,
                "--validation",
                data,
                "--best-by",
                "macro_f1",
                "--epochs",
                6,
                "--lr",
                0.02,
                "--batch",
                4,
                "--max-length",
                8);
        JsonObject evaluated =
                json(Invocation.of("eval", "--model", model, "--adapter", folder.resolve("adapter"), "--data", data));

        JsonObject result = json(trained);
        assertThat(result.get("steps").getAsInt()).isEqualTo(6 * 4);
        assertThat(result.get("validation_accuracy").getAsDouble()).isEqualTo(1);
        assertThat(evaluated.get("accuracy").getAsDouble()).isEqualTo(1);
        assertThat(evaluated.get("macro_f1").getAsDouble()).isEqualTo(1);
        assertThat(result.get("validation_macro_f1").getAsDouble()).isEqualTo(1);
        assertThat(evaluated.get("loss").getAsDouble())
                .isCloseTo(result.get("validation_loss").getAsDouble(), within(1e-6));
        assertThat(evaluated.get("rows").getAsInt()).isEqualTo(16);
        Adapter adapter = AdapterFiles.load(folder.resolve("adapter"));
        assertThat(adapter.task().labels()).containsExactly("bad", "good");
        assertThat(adapter.task().maxLength()).isEqualTo(8);
    }

    @Test
    void drawsAnEvaluationWithItsHardestRows() throws IOException {
        Path model = TinyModels.bert(folder.resolve("model"), 1);
        Path data = write("opinions.csv", "text,label", opinions("%s,%s"));
        Path report = folder.resolve("report.html");
        json(train(model, data, "--epochs", 1));
        Object[] eval = {"eval", "--model", model, "--adapter", folder.resolve("adapter"), "--data", data};
        Object[] drawn = Arrays.copyOf(eval, eval.length + 2);
        drawn[eval.length] = "--report";
        drawn[eval.length + 1] = report;

        assertThat(json(Invocation.of(drawn))).isEqualTo(json(Invocation.of(eval)));
        assertThat(Files.readString(report))
                .contains(
                        "<title>adapter on opinions.csv</title>",
                        "Confusion matrix",
                        "<h2>Hardest rows</h2>",
                        "a lovely film",
                        "<dd>opinions.csv</dd>")
                .doesNotContain(folder.toString());
    }

    @Test
    void learnsAnswersFromJsonLines() throws IOException {
        Path model = TinyModels.llama(folder.resolve("model"), 1);
        Path data = write("answers.jsonl", null, opinions("{\"prompt\": \"%s\", \"answer\": \"%s\"}"));

        Invocation trained = train(model, data, "--method", "prefix", "--tokens", 3, "--epochs", 2, "--batch", 8);
        JsonObject evaluated =
                json(Invocation.of("eval", "--model", model, "--adapter", folder.resolve("adapter"), "--data", data));

        assertThat(json(trained).get("steps").getAsInt()).isEqualTo(4);
        // An answer is one word and the end token.
        assertThat(evaluated.get("tokens").getAsInt()).isEqualTo(16 * 2);
        assertThat(evaluated.get("perplexity").getAsDouble())
                .isEqualTo(Math.exp(evaluated.get("loss").getAsDouble()));
    }

    @ParameterizedTest
    @CsvSource({"prompt,PROMPT_TUNING", "p-tuning,P_TUNING"})
    void learnsPrompts(String method, String type) throws IOException {
        Path model = TinyModels.llama(folder.resolve("model"), 1);
        Path data = write("texts.jsonl", null, opinions("{\"text\": \"%s %s\"}"));

        Invocation trained = train(model, data, "--method", method, "--tokens", 3, "--epochs", 1, "--batch", 8);

        assertThat(trained.err()).doesNotContain("expected");
        assertThat(json(trained).get("steps").getAsInt()).isEqualTo(2);
        ConfigReader config = ConfigReader.read(folder.resolve("adapter/adapter_config.json"));
        assertThat(config.requiredString("peft_type")).isEqualTo(type);
        assertThat(config.requiredInt("num_virtual_tokens")).isEqualTo(3);
    }

    @Test
    void promptsStartWhereTheyAreSaidTo() throws IOException {
        Path model = TinyModels.llama(folder.resolve("model"), 1);
        Path data = write("texts.jsonl", null, opinions("{\"text\": \"%s %s\"}"));

        train(model, data, "--method", "prompt", "--init-text", "a lovely film", "--epochs", 1);

        ConfigReader config = ConfigReader.read(folder.resolve("adapter/adapter_config.json"));
        assertThat(config.requiredString("prompt_tuning_init")).isEqualTo("TEXT");
        assertThat(config.requiredString("prompt_tuning_init_text")).isEqualTo("a lovely film");
        assertThat(train(model, data, "--method", "prompt", "--init", "pissa").err())
                .contains("--init: expected RANDOM or SAMPLE_VOCAB for a prompt, found pissa");
        assertThat(train(model, data, "--method", "prompt", "--init", "RANDOM", "--init-text", "x")
                        .err())
                .contains("--init RANDOM: the prompt starts from the text of --init-text; give one of the two");
    }

    @Test
    void learnsPairsAndMeasuresRecall() throws IOException {
        Path model = TinyModels.bert(folder.resolve("model"), 1);
        Path data = write("pairs.csv", "anchor,positive", opinions("%s,%s"));

        Invocation trained = train(
                model, data, "--validation", data, "--best-by", "recall@1", "--epochs", 6, "--lr", 0.02, "--batch", 8);
        JsonObject evaluated =
                json(Invocation.of("eval", "--model", model, "--adapter", folder.resolve("adapter"), "--data", data));

        assertThat(evaluated.get("recall@1").getAsDouble())
                .isEqualTo(json(trained).get("validation_recall@1").getAsDouble())
                .isGreaterThan(0.7);
        assertThat(evaluated.get("recall@5").getAsDouble()).isEqualTo(1);
        assertThat(evaluated.get("pairs").getAsInt()).isEqualTo(16);
        assertThat(train(model, data, "--micro-batch", 4).err()).hasLineCount(1).contains("leave the micro-batch out");
        assertThat(train(model, data, "--label-smoothing", 0.1).err())
                .hasLineCount(1)
                .contains("--label-smoothing is for classes and tokens");
    }

    @Test
    void learnsConversationsByTheModelsOwnTemplate() throws IOException {
        Path model = TinyModels.llama(folder.resolve("model"), 1);
        Path data = write(
                "chat.jsonl",
                null,
                opinions(
                        "{\"messages\": [{\"role\": \"user\", \"content\": \"%s\"}, {\"role\": \"assistant\", \"content\": \"%s\"}]}"));
        Invocation without = train(model, data);
        Files.writeString(
                model.resolve("chat_template.jinja"),
                "{% for m in messages %}{{ m.content }} {% if m.role == 'assistant' %}</s>{% endif %}{% endfor %}");

        Invocation trained = train(model, data, "--epochs", 2);
        JsonObject evaluated =
                json(Invocation.of("eval", "--model", model, "--adapter", folder.resolve("adapter"), "--data", data));

        assertThat(without.exitCode()).isEqualTo(2);
        assertThat(without.err()).contains("the model has no chat template");
        assertThat(json(trained).get("steps").getAsInt()).isEqualTo(2);
        // An answer is one word and the end token.
        assertThat(evaluated.get("tokens").getAsInt()).isEqualTo(16 * 2);
        assertThat(train(model, data, "--template", "{text}").err())
                .hasLineCount(1)
                .contains("conversations have the model's own");
    }

    @Test
    void learnsToContinueTexts() throws IOException {
        Path model = TinyModels.llama(folder.resolve("model"), 1);
        Path data = write("texts.jsonl", null, opinions("{\"text\": \"%s %s\"}"));

        Invocation trained = train(model, data, "--max-length", 4, "--epochs", 1);
        JsonObject evaluated =
                json(Invocation.of("eval", "--model", model, "--adapter", folder.resolve("adapter"), "--data", data));

        assertThat(json(trained).get("steps").getAsInt()).isPositive();
        assertThat(evaluated.get("perplexity").getAsDouble()).isGreaterThan(1);
        assertThat(AdapterFiles.load(folder.resolve("adapter")).task().maxLength())
                .isEqualTo(4);
        assertThat(train(model, data, "--template", "{text}").err())
                .hasLineCount(1)
                .contains("texts to continue have none");
    }

    @Test
    void writesALineOfMetricsForEveryStep() throws IOException {
        Path model = TinyModels.bert(folder.resolve("model"), 1);
        Path data = write("opinions.csv", "text,label", opinions("%s,%s"));
        Path metrics = folder.resolve("metrics.jsonl");

        train(model, data, "--method", "head", "--epochs", 1, "--batch", 8, "--metrics", metrics);

        assertThat(Files.readAllLines(metrics))
                .filteredOn(line -> line.contains("\"event\":\"step\""))
                .hasSize(2)
                .allSatisfy(
                        line -> assertThat(Json.parse(line, "metrics").keySet()).contains("loss", "learning_rate"));
    }

    @Test
    void drawsTheRunWithoutNamingFolders() throws IOException {
        Path model = TinyModels.bert(folder.resolve("model"), 1);
        Path data = write("opinions.csv", "text,label", opinions("%s,%s"));
        Path report = folder.resolve("report.html");

        json(train(model, data, "--validation", data, "--epochs", 2, "--batch", 8, "--report", report));

        assertThat(Files.readString(report))
                .contains("<title>adapter</title>", "<dd>opinions.csv</dd>", "Best accuracy", ">Completed<")
                .doesNotContain(folder.toString());
    }

    @Test
    void aFinishedTrainingIsResumedToTheSameResult() throws IOException {
        Path model = TinyModels.bert(folder.resolve("model"), 1);
        Path data = write("opinions.csv", "text,label", opinions("%s,%s"));
        Object[] options = {
            "--validation", data, "--epochs", 2, "--checkpoints", folder.resolve("run"), "--checkpoint-every", "1,30s"
        };

        JsonObject first = json(train(model, data, options));
        byte[] adapter = Files.readAllBytes(folder.resolve("adapter/adapter_model.safetensors"));
        Invocation again = train(model, data, options);
        List<Object> resumed = new ArrayList<>(List.of(options));
        resumed.add("--resume");
        JsonObject second = json(train(model, data, resumed.toArray()));

        assertThat(again.exitCode()).isEqualTo(2);
        assertThat(again.err()).contains("is another run's checkpoint, which this run would replace; resume that run");
        first.remove("seconds");
        second.remove("seconds");
        assertThat(second).isEqualTo(first);
        assertThat(folder.resolve("adapter/adapter_model.safetensors")).hasBinaryContent(adapter);
    }

    @Test
    void checkpointOptionsThatMeanNothingAreBadInput() throws IOException {
        Path model = TinyModels.bert(folder.resolve("model"), 1);
        Path data = write("opinions.csv", "text,label", opinions("%s,%s"));

        Invocation without = train(model, data, "--resume");
        Invocation wrong = train(model, data, "--checkpoints", folder, "--checkpoint-every", "5x");

        assertThat(without.exitCode()).isEqualTo(2);
        assertThat(without.err()).contains("--resume needs the checkpoints' folder; add --checkpoints DIR");
        assertThat(wrong.exitCode()).isEqualTo(2);
        assertThat(wrong.err())
                .hasLineCount(1)
                .contains("expected a number of steps such as 500, or a time such as 30s, 10m or 1h, found 5x");
    }

    @Test
    void classesMayCountDifferently() throws IOException {
        Path model = TinyModels.bert(folder.resolve("model"), 1);
        Path data = write("opinions.csv", "text,label", opinions("%s,%s"));
        Object[] settings = {"--method", "head", "--epochs", 1};

        double plain = json(train(model, data, settings)).get("loss").getAsDouble();
        double balanced = json(train(model, data, with(settings, "--balance-classes")))
                .get("loss")
                .getAsDouble();
        double weighted = json(train(
                        model, data, with(settings, "--class-weight", "bad=5", "--label-smoothing", "0.2")))
                .get("loss")
                .getAsDouble();

        // Both classes have eight rows.
        assertThat(balanced).isCloseTo(plain, within(1e-6));
        assertThat(weighted).isNotCloseTo(plain, within(1e-4));
    }

    @Test
    void weightsOfUnknownClassesAndOfAnswersAreBadInput() throws IOException {
        Path model = TinyModels.bert(folder.resolve("model"), 1);
        Path data = write("opinions.csv", "text,label", opinions("%s,%s"));
        Path answers = write("answers.csv", "prompt,answer", opinions("%s,%s"));

        assertThat(train(model, data, "--class-weight", "awful=2").err())
                .hasLineCount(1)
                .contains("\"awful\" is none of the task's labels, which are [bad, good]");
        assertThat(train(model, data, "--class-weight", "bad=2", "--balance-classes")
                        .err())
                .hasLineCount(1)
                .contains("give one of them");
        assertThat(train(model, answers, "--balance-classes").err())
                .hasLineCount(1)
                .contains("are for rows with a text and a label");
        assertThat(train(model, data, "--label-smoothing", "1").exitCode()).isEqualTo(2);
    }

    private static Object[] with(Object[] settings, Object... more) {
        return Stream.of(settings, more).flatMap(Stream::of).toArray();
    }

    @Test
    void otherColumnsAreBadInput() throws IOException {
        Path model = TinyModels.bert(folder.resolve("model"), 1);
        Path data = write("rows.csv", "sentence,class", List.of("a good film,good"));

        Invocation invocation = train(model, data);

        assertThat(invocation.exitCode()).isEqualTo(2);
        assertThat(invocation.err())
                .hasLineCount(1)
                .contains("rows.csv: expected the columns text and label, or prompt and answer, or anchor and positive,"
                        + " or messages, or text, found [sentence, class]; rename the columns");
    }

    @Test
    void aPlaceThatCannotHoldTheAdapterIsFoundOutBeforeTraining() throws IOException {
        Path data = write("opinions.csv", "text,label", opinions("%s,%s"));

        Invocation invocation =
                Invocation.of("train", "--model", folder.resolve("no model"), "--data", data, "--out", data);

        assertThat(invocation.exitCode()).isEqualTo(2);
        assertThat(invocation.err()).hasLineCount(1).contains("opinions.csv could not be used");
    }

    @Test
    void aLearningRateOfZeroIsBadInput() throws IOException {
        Path data = write("opinions.csv", "text,label", opinions("%s,%s"));

        Invocation invocation = train(folder, data, "--lr", 0);

        assertThat(invocation.exitCode()).isEqualTo(2);
        assertThat(invocation.err()).hasLineCount(1).contains("--lr", "expected a number above 0, found 0");
    }

    @Test
    void anAdapterWithoutLabelsAsksForThem() throws IOException {
        Fixture fixture = Fixture.of("bert", "lora");
        Path model = copyWithTokenizer(fixture);
        Path data = write("rows.csv", "text,label", List.of("a good film,good"));
        Object[] eval = {"eval", "--model", model, "--adapter", fixture.folder(), "--data", data};

        Invocation invocation = Invocation.of(eval);

        assertThat(invocation.exitCode()).isEqualTo(2);
        assertThat(invocation.err()).hasLineCount(1).contains("do not name its classes", "--labels");
    }

    private Path copyWithTokenizer(Fixture fixture) throws IOException {
        Path model = Files.createDirectory(folder.resolve("bert"));
        for (String name : List.of("config.json", "model.safetensors")) {
            Files.copy(fixture.base().resolve(name), model.resolve(name));
        }
        Files.copy(
                TinyModels.bert(folder.resolve("tiny"), 1).resolve("tokenizer.json"), model.resolve("tokenizer.json"));
        return model;
    }

    private Invocation train(Path model, Path data, Object... more) {
        List<Object> arguments =
                new ArrayList<>(List.of("train", "--model", model, "--data", data, "--out", folder.resolve("adapter")));
        arguments.addAll(List.of(more));
        return Invocation.of(arguments.toArray());
    }

    /** Sixteen sentences with one word each that says whether they are good or bad. */
    private static List<String> opinions(String row) {
        List<String> rows = new ArrayList<>();
        for (String thing : List.of("film", "book", "song", "food")) {
            rows.add(String.format(row, "the " + thing + " is great", "good"));
            rows.add(String.format(row, "a lovely " + thing, "good"));
            rows.add(String.format(row, "the " + thing + " is awful", "bad"));
            rows.add(String.format(row, "a dull " + thing, "bad"));
        }
        return rows;
    }

    private Path write(String name, String header, List<String> rows) throws IOException {
        List<String> lines = new ArrayList<>(rows);
        if (header != null) {
            lines.add(0, header);
        }
        return Files.write(folder.resolve(name), lines);
    }

    private static JsonObject json(Invocation invocation) {
        assertThat(invocation.exitCode()).as(invocation.err()).isZero();
        assertThat(invocation.out()).hasLineCount(1);
        return Json.parse(invocation.out().strip(), "standard output");
    }
}
