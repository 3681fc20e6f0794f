package io.peftj.examples.cli;

import io.peftj.core.InvalidConfigException;
import io.peftj.djl.train.Checkpoints;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** Where checkpoints go, how often, and whether to go on from one. */
final class CheckpointOptions {
    @Option(
            names = "--checkpoints",
            paramLabel = "DIR",
            description = {
                "Keep a checkpoint in this folder, from which an interrupted training can go on: one after each epoch,"
                        + " more by --checkpoint-every."
            })
    private @Nullable Path folder;

    @Option(
            names = "--checkpoint-every",
            split = ",",
            paramLabel = "N|TIME",
            converter = IntervalText.class,
            description = "Write a checkpoint every N steps, or every 30s, 10m, 1h; both after a comma: 500,10m.")
    private @Nullable List<Interval> intervals;

    @Option(
            names = "--resume",
            description = "Go on from the checkpoint in --checkpoints; begin at the beginning where there is none yet.")
    private boolean resumes;

    /**
     * The rules that were asked for; null for no checkpoints.
     *
     * @throws InvalidConfigException if they were asked for in part
     */
    @Nullable
    Checkpoints rules() {
        if (folder == null && (resumes || intervals != null)) {
            throw new InvalidConfigException((resumes ? "--resume" : "--checkpoint-every")
                    + " needs the checkpoints' folder; add --checkpoints DIR");
        }
        return folder == null ? null : rules(folder);
    }

    private Checkpoints rules(Path where) {
        Checkpoints rules = Checkpoints.in(where);
        for (Interval interval : intervals == null ? List.<Interval>of() : intervals) {
            rules = interval.time() == null ? rules.everySteps(interval.steps()) : rules.every(interval.time());
        }
        return resumes ? rules.resume() : rules;
    }

    /** Steps, or a time. */
    private record Interval(long steps, @Nullable Duration time) {}

    private static final class IntervalText implements ITypeConverter<Interval> {
        private static final Pattern FORM = Pattern.compile("([1-9]\\d{0,8})([smh]?)");

        @Override
        public Interval convert(String text) {
            Matcher form = FORM.matcher(text);
            if (!form.matches()) {
                throw new TypeConversionException(
                        "expected a number of steps such as 500, or a time such as 30s, 10m or 1h, found " + text);
            }
            long number = Long.parseLong(form.group(1));
            return switch (form.group(2)) {
                case "s" -> new Interval(0, Duration.ofSeconds(number));
                case "m" -> new Interval(0, Duration.ofMinutes(number));
                case "h" -> new Interval(0, Duration.ofHours(number));
                default -> new Interval(number, null);
            };
        }
    }
}
