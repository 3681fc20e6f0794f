package io.peftj.djl.train.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What every page has to be. */
final class WellFormed {
    private static final Pattern TAG = Pattern.compile("<(/?)([a-z][a-z0-9]*)[^>]*?(/?)>");
    private static final Set<String> VOID = Set.of("meta");

    private WellFormed() {}

    /** Every element is closed in its place, and nothing comes from elsewhere. */
    static void check(String page) {
        assertThat(page).doesNotContain("http://", "https://", "@import", "url(");
        String elements = page.replaceAll("(?s)<(script|style)[^>]*>.*?</\\1>", "");
        assertThat(elements).doesNotContainPattern("<[^>]* (src|href|on[a-z]+)=");
        Deque<String> open = new ArrayDeque<>();
        Matcher tags = TAG.matcher(elements);
        while (tags.find()) {
            String name = tags.group(2);
            if (!tags.group(1).isEmpty()) {
                assertThat(open.pop())
                        .as("closed by %s at %d", name, tags.start())
                        .isEqualTo(name);
            } else if (tags.group(3).isEmpty() && !VOID.contains(name)) {
                open.push(name);
            }
        }
        assertThat(open).isEmpty();
    }
}
