package io.peftj.djl.train;

import java.io.Console;
import java.io.PrintStream;
import java.time.Duration;
import java.util.Locale;

/**
 * Shows how far training is, its loss, its speed and the time left: in one line that changes in place on a terminal, in a line every tenth of the way
 * elsewhere. Evaluations get lines of their own.
 */
public final class ProgressBar implements TrainingListener {
    private static final int WIDTH = 24;

    private final PrintStream out;
    private final boolean inPlace;
    private int shown;

    private ProgressBar(PrintStream out, boolean inPlace) {
        this.out = out;
        this.inPlace = inPlace;
    }

    /** Shows it on the standard error stream. */
    public static ProgressBar toStderr() {
        return new ProgressBar(System.err, isTerminal());
    }

    /** Shows it on a stream, in lines one after another. */
    public static ProgressBar linesTo(PrintStream out) {
        return new ProgressBar(out, false);
    }

    /** Shows it on a terminal's stream, in one line that changes. */
    public static ProgressBar inPlaceOn(PrintStream out) {
        return new ProgressBar(out, true);
    }

    @Override
    public void onStart(TrainingEvent.Start event) {
        line(String.format(
                Locale.ROOT,
                "training %s: %,d numbers, %,d examples, %d epochs, %,d steps",
                event.method(),
                event.trainable(),
                event.examples(),
                event.epochs(),
                event.steps()));
    }

    @Override
    public void onResume(TrainingEvent.Resumed event) {
        line(String.format(Locale.ROOT, "resumed after step %,d", event.step()));
    }

    @Override
    public void onStep(TrainingEvent.Step event) {
        long tenth = event.step() * 10 / event.steps();
        if (inPlace) {
            show(bar(event));
        } else if (tenth > (event.step() - 1) * 10 / event.steps()) {
            line(bar(event));
        }
    }

    @Override
    public void onEvaluation(TrainingEvent.Evaluated event) {
        Evaluation result = event.result();
        StringBuilder text = new StringBuilder(
                String.format(Locale.ROOT, "epoch %d: validation loss %.4f", event.epoch(), result.loss()));
        result.scores()
                .forEach((metric, value) -> text.append(
                        String.format(Locale.ROOT, ", %s %.4f", metric.name().replace('_', ' '), value)));
        line(text + (event.best() ? ", the best so far" : ""));
    }

    @Override
    public void onMeasurement(TrainingEvent.Measured event) {
        event.values()
                .forEach((name, value) -> line(
                        String.format(Locale.ROOT, "epoch %d: %s %.4f", event.epoch(), name.replace('_', ' '), value)));
    }

    @Override
    public void onEnd(TrainingEvent.End event) {
        line(String.format(
                Locale.ROOT,
                "%s after %,d steps in %s",
                event.reason().name().toLowerCase(Locale.ROOT).replace('_', ' '),
                event.steps(),
                time(event.elapsed())));
    }

    /** Before JDK 22 there is no console but a terminal's; since then a console can say what it is. */
    @SuppressWarnings("SystemConsoleNull") // both are asked
    private static boolean isTerminal() {
        Console console = System.console();
        if (console == null) {
            return false;
        }
        try {
            return (boolean) Console.class.getMethod("isTerminal").invoke(console);
        } catch (NoSuchMethodException e) {
            return true;
        } catch (ReflectiveOperationException e) {
            return false;
        }
    }

    private static String bar(TrainingEvent.Step event) {
        int done = (int) (event.step() * WIDTH / event.steps());
        return String.format(
                Locale.ROOT,
                "[%s%s] %,d/%,d  epoch %d  loss %.4f  %,.0f tokens/s  %s left",
                "=".repeat(done),
                " ".repeat(WIDTH - done),
                event.step(),
                event.steps(),
                event.epoch(),
                event.loss(),
                event.tokensPerSecond(),
                time(event.remaining()));
    }

    private static String time(Duration duration) {
        return String.format(
                Locale.ROOT, "%d:%02d:%02d", duration.toHours(), duration.toMinutesPart(), duration.toSecondsPart());
    }

    private void show(String text) {
        out.print("\r" + text + " ".repeat(Math.max(0, shown - text.length())));
        out.flush();
        shown = text.length();
    }

    private void line(String text) {
        if (inPlace && shown > 0) {
            show("");
            out.print('\r');
            shown = 0;
        }
        out.println(text);
    }
}
