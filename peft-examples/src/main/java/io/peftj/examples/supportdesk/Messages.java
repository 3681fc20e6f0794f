package io.peftj.examples.supportdesk;

import io.peftj.djl.data.TextFiles;
import io.peftj.djl.train.LabelledText;
import io.peftj.djl.train.TextPair;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;

/** The messages that the example ships; README.md beside the files says how they were made. */
final class Messages {
    private Messages() {}

    /** The help articles' titles. */
    static List<String> articles() {
        return of("articles").stream().map(LabelledText::text).toList();
    }

    /** A split's messages, each with the help article for its intent. */
    static List<TextPair> withArticles(String split) {
        Map<String, String> articles =
                of("articles").stream().collect(Collectors.toMap(LabelledText::label, LabelledText::text));
        return of(split).stream()
                .map(row -> new TextPair(row.text(), Objects.requireNonNull(articles.get(row.label()))))
                .toList();
    }

    /** A split: train, validation or test; or the articles. */
    static List<LabelledText> of(String split) {
        try (InputStream in = Objects.requireNonNull(Messages.class.getResourceAsStream(split + ".csv"))) {
            return TextFiles.csv(new InputStreamReader(in, StandardCharsets.UTF_8), split + ".csv").stream()
                    .map(row -> new LabelledText(row.get("text"), row.get("label")))
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The intents, in alphabetical order. */
    static List<String> labels() {
        return of("train").stream().map(LabelledText::label).distinct().sorted().toList();
    }
}
