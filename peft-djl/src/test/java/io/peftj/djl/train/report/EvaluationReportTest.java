package io.peftj.djl.train.report;

import static org.assertj.core.api.Assertions.assertThat;

import io.peftj.core.adapter.Adapter;
import io.peftj.core.adapter.AdapterMethods;
import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.run.ResidentAdapter;
import io.peftj.core.run.Stack;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.train.AdapterTrainer;
import io.peftj.djl.train.Example;
import io.peftj.djl.train.LabelledText;
import io.peftj.djl.train.Objective;
import io.peftj.djl.train.Predictor;
import io.peftj.djl.train.Sentences;
import io.peftj.djl.train.Task;
import io.peftj.djl.train.Tasks;
import io.peftj.djl.train.TextPair;
import io.peftj.djl.train.TinyTraining;
import io.peftj.methods.lora.LoraConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.LongFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class EvaluationReportTest extends TinyTraining {
    private static final LoraConfig LORA = LoraConfig.builder().rank(2).build();
    private static final String ATTACK = "</title></script><script>alert(1)</script>\"'& onload=x";

    @Test
    void aClassifierIsShownWithWhatItMistakes() throws IOException {
        // The wrong labels must be found among the hardest rows.
        List<LabelledText> rows = new ArrayList<>(Sentences.opinions());
        rows.set(7, new LabelledText(rows.get(7).text() + " " + ATTACK, "praise"));
        try (Backbone base = bert()) {
            Adapter adapter = opinions(base, LORA).epochs(25).learningRate(5e-2).fit(Sentences.opinions());
            String page = write(
                    base,
                    adapter,
                    Tasks.classification(Sentences.LABELS).maxLength(16),
                    rows,
                    number -> rows.get((int) number).text());

            assertThat(page)
                    .contains(
                            "Confusion matrix",
                            "1 of 40 rows were given another class",
                            "<th scope=\"row\">praise</th><td>blame</td><td>1</td>",
                            "<th scope=\"row\">blame</th><td>19</td><td>95.0 %</td><td>100.0 %</td><td>97.4 %</td>");
            assertThat(page.substring(page.indexOf("<h2>Hardest rows")))
                    .containsPattern(
                            "(?s)\\A[^\\n]*\\n[^\\n]*\\n[^\\n]*\\n<tr><th scope=\"row\">[^<]*&lt;script&gt;alert");
        }
    }

    @Test
    void aLanguageModelIsShownWithTheLossesOfItsRows() throws IOException {
        try (Backbone base = llama()) {
            Adapter adapter = colours(base, LORA).fit(Sentences.colours());
            String page = write(
                    base,
                    adapter,
                    Tasks.answers(),
                    Sentences.colours(),
                    number -> Sentences.colours().get((int) number).prompt());

            assertThat(page)
                    .contains("<h2>perplexity</h2>", "<h2>Losses</h2>", "<h2>Hardest rows</h2>")
                    .contains("<th scope=\"row\">the food is</th><td>3</td><td>4</td>");
        }
    }

    @Test
    void embeddingsAreShownByTheirScores() throws IOException {
        List<TextPair> pairs = List.of(
                new TextPair("the film is good", "a great film"), new TextPair("the food is bad", "awful food"));
        try (Backbone base = bert()) {
            Adapter adapter = AdapterTrainer.on(base)
                    .method(LORA)
                    .task(Tasks.embedding())
                    .epochs(1)
                    .fit(pairs);
            assertThat(write(base, adapter, Tasks.embedding(), pairs, number -> ""))
                    .contains("recall@1");
        }
    }

    @Test
    void manyClassesAreAPicture() {
        int classes = 40;
        List<String> labels =
                IntStream.range(0, classes).mapToObj(c -> "class " + c + ATTACK).toList();
        List<Example> examples = new ArrayList<>();
        List<double[]> logProbabilities = new ArrayList<>();
        for (int row = 0; row < 4 * classes; row++) {
            examples.add(Example.classified(row, row % classes, 1, 2));
            double[] each = new double[classes];
            Arrays.fill(each, -6);
            each[row < 3 * classes ? row % classes : (row + 1) % classes] = -0.2;
            logProbabilities.add(each);
        }

        String html = new ClassDetails(labels, examples, logProbabilities, number -> ATTACK).html();

        WellFormed.check(html);
        assertThat(html)
                .contains("<svg viewBox=\"-0.5 -0.5 41 41\"", "40 of 160 rows were given another class")
                .doesNotContain("<script");
        assertThat(html.split("<rect class=\"right\"", -1)).hasSize(classes + 1);
        assertThat(html.split("<rect class=\"wrong\"", -1)).hasSize(classes + 1);
    }

    /** Measured twice: the report's numbers are those of an evaluation without one. */
    private <R> String write(Backbone base, Adapter adapter, Task<R> task, List<R> rows, LongFunction<String> text)
            throws IOException {
        AdapterPlan plan = AdapterMethods.plan(task.spec(base), adapter.config());
        List<Example> examples = task.examples(base, plan, rows);
        Objective objective = task.objective(base);
        try (ResidentAdapter resident = ResidentAdapter.load(base, "adapter", plan, adapter.parameters())) {
            Predictor predictor = new Predictor(base, session -> Stack.of(resident.in(session)), () -> false);
            EvaluationReport report = EvaluationReport.of(
                    objective, predictor, examples, task.data(base).labels(), text);
            report.title("adapter " + ATTACK).fact("data", ATTACK).write(folder.resolve("report.html"));

            assertThat(report.evaluation()).isEqualTo(objective.evaluate(predictor, examples));
        }
        String page = Files.readString(folder.resolve("report.html"));
        WellFormed.check(page);
        assertThat(page).doesNotContain("<script>alert", "</title></script>");
        return page;
    }
}
