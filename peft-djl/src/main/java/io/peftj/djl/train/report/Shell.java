package io.peftj.djl.train.report;

import static io.peftj.djl.train.report.Texts.escape;

import io.peftj.core.Library;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/**
 * What is around every report: a page that may load nothing from anywhere.
 *
 * @param badge HTML at the title's side; may be empty
 * @param subtitle a text
 * @param body HTML
 * @param scripts HTML at the end; may be empty
 */
record Shell(String title, String badge, String subtitle, String body, String scripts) {
    private static final DateTimeFormatter WRITTEN = DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm z", Locale.ROOT);

    String html() {
        return """
                <!DOCTYPE html>
                <html lang="en">
                <head>
                <meta charset="utf-8">
                <meta name="viewport" content="width=device-width, initial-scale=1">
                <meta name="color-scheme" content="light dark">
                <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
                <title>%s</title>
                <style>
                %s</style>
                </head>
                <body>
                <header>
                %s
                <h1>%s</h1>
                <p>%s</p>
                </header>
                <main>
                %s</main>
                <footer>Written by PEFT for the JVM %s on %s.</footer>
                %s
                </body>
                </html>
                """.formatted(
                        escape(title),
                        resource("report.css"),
                        badge,
                        escape(title),
                        escape(subtitle),
                        body,
                        escape(Library.version()),
                        WRITTEN.format(ZonedDateTime.now(ZoneId.systemDefault())),
                        scripts);
    }

    static String resource(String name) {
        try (InputStream in = Shell.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new IllegalStateException("the library's jar lacks " + name + "; build it with Maven");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException("the library's " + name + " could not be read", e);
        }
    }
}
