package io.peftj.djl.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.peftj.core.InvalidFileException;
import io.peftj.core.tensor.CounterRandom;
import java.io.IOException;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.util.List;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVRecord;
import org.junit.jupiter.api.Test;

class CsvTest {
    private static final String LETTERS = "ab,,,\"\"\"\"\n\r ";

    @Test
    void fieldsAreWhatRfc4180Says() {
        assertThat(Csv.parse("a,b\r\n\"x, \"\"y\"\"\r\nz\",\r\n\r\n,5\" pipe\n\"\"", "f.csv"))
                .containsExactly(List.of("a", "b"), List.of("x, \"y\"\r\nz", ""), List.of("", "5\" pipe"), List.of(""));
        assertThat(Csv.parse("", "f.csv")).isEmpty();
        assertThat(Csv.parse("a,", "f.csv")).containsExactly(List.of("a", ""));
    }

    @Test
    void textBehindAClosingQuoteIsRefused() {
        assertThatThrownBy(() -> Csv.parse("a\n1\n\"one\" two\n", "f.csv"))
                .isInstanceOf(InvalidFileException.class)
                .hasMessage("f.csv, row 2: expected a comma or the end of the line after the quote that closes \"one\","
                        + " found \" \"; double quotes inside fields");
        assertThatThrownBy(() -> Csv.parse("\"a", "f.csv"))
                .isInstanceOf(InvalidFileException.class)
                .hasMessageStartingWith("f.csv, the columns' names: expected a quote that closes the field");
    }

    /** Random texts of the characters that matter: equal records, or refused where Commons CSV refuses or reads on in a way of its own. */
    @Test
    void readsAsCommonsCsvDoes() {
        CounterRandom random = CounterRandom.of(41);
        int alike = 0;
        for (int i = 0; i < 20_000; i++) {
            StringBuilder made = new StringBuilder();
            for (int length = random.nextInt(14); length > 0; length--) {
                made.append(LETTERS.charAt(random.nextInt(LETTERS.length())));
            }
            String text = made.toString();
            List<List<String>> found;
            try {
                found = Csv.parse(text, "f.csv");
            } catch (InvalidFileException e) {
                continue;
            }
            assertThat(found)
                    .as("%s (seed 41)", text.replace("\n", "\\n").replace("\r", "\\r"))
                    .isEqualTo(commons(text));
            alike++;
        }
        assertThat(alike).isGreaterThan(5_000);
    }

    private static List<List<String>> commons(String text) {
        CSVFormat format = CSVFormat.RFC4180.builder().setIgnoreEmptyLines(true).get();
        try {
            return format.parse(new StringReader(text)).stream()
                    .map(CSVRecord::toList)
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
