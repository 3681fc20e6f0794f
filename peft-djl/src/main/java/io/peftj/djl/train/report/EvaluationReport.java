package io.peftj.djl.train.report;

import io.peftj.core.io.AtomicFiles;
import io.peftj.djl.train.Evaluation;
import io.peftj.djl.train.Example;
import io.peftj.djl.train.Objective;
import io.peftj.djl.train.Predictor;
import io.peftj.djl.train.RunDescription;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongFunction;

/**
 * Draws on a web page how well an adapter does: its scores, for classes which are mistaken for which, and the rows that it finds hardest.
 *
 * <p>The page is one file and needs nothing from elsewhere.
 */
public final class EvaluationReport {
    private final Evaluation evaluation;
    private final String details;
    private final Map<String, String> facts = new LinkedHashMap<>();
    private final Map<String, String> environment;
    private String title = "Evaluation";

    private EvaluationReport(Evaluation evaluation, String details, Map<String, String> environment) {
        this.evaluation = evaluation;
        this.details = details;
        this.environment = environment;
    }

    /**
     * Measures on examples.
     *
     * @param labels the classes' names in the order of the logits; empty for other tasks
     * @param text what is shown of an example, by its number
     */
    public static EvaluationReport of(
            Objective objective,
            Predictor predictor,
            List<Example> examples,
            List<String> labels,
            LongFunction<String> text) {
        Map<String, String> environment = RunDescription.environment(predictor.base());
        if (objective instanceof Objective.Classification classification) {
            List<double[]> logProbabilities = classification.logProbabilities(predictor, examples);
            Evaluation evaluation = Objective.Classification.evaluation(examples, logProbabilities);
            return new EvaluationReport(
                    evaluation, new ClassDetails(labels, examples, logProbabilities, text).html(), environment);
        }
        if (objective instanceof Objective.NextToken) {
            List<Double> losses = Objective.NextToken.losses(predictor, examples);
            Evaluation evaluation = Objective.NextToken.evaluation(examples, losses);
            return new EvaluationReport(evaluation, new TextDetails(examples, losses, text).html(), environment);
        }
        return new EvaluationReport(objective.evaluate(predictor, examples), "", environment);
    }

    /** How well it does. */
    public Evaluation evaluation() {
        return evaluation;
    }

    /** Names what was measured. */
    public EvaluationReport title(String text) {
        title = text;
        return this;
    }

    /** Adds something worth knowing, such as the name of the file of data. */
    public EvaluationReport fact(String name, String value) {
        facts.put(name, value);
        return this;
    }

    /**
     * Writes the page, replacing the file as a whole.
     *
     * @throws io.peftj.core.PeftException if it could not be written
     */
    public void write(Path file) {
        Map<String, Map<String, String>> groups = new LinkedHashMap<>();
        groups.put("Measured", facts);
        groups.put("Environment", environment);
        String body = cards() + details + Html.facts("Settings", groups);
        AtomicFiles.write(
                file,
                AtomicFiles.Content.of(new Shell(title, "", "How well an adapter does on examples", body, "").html()));
    }

    private String cards() {
        StringBuilder cards = new StringBuilder("<section class=\"cards\" aria-label=\"Scores\">\n");
        evaluation
                .scores()
                .forEach((metric, value) -> Html.card(
                        cards,
                        Scores.text(metric.name()),
                        Scores.value(metric.name(), value),
                        metric.higherIsBetter() ? "higher is better" : "lower is better"));
        Html.card(cards, "Loss", Texts.fixed(evaluation.loss()), "mean negative log-likelihood, in nats");
        Html.card(cards, "Predicted", Texts.count(evaluation.learnt()), "what the loss is the mean of");
        return cards.append("</section>\n").toString();
    }
}
