package io.peftj.djl.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.peftj.core.InvalidFileException;
import io.peftj.djl.chat.Message;
import io.peftj.djl.train.Conversation;
import io.peftj.djl.train.LabelledText;
import io.peftj.djl.train.PromptAnswer;
import io.peftj.djl.train.TextPair;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DatasetsTest {
    @TempDir
    Path folder;

    @Test
    void rowsComeFromTheUsualColumnsOrNamedOnes() throws IOException {
        Path csv = write("rows.csv", "text,label,prompt,answer,anchor,positive\na,b,c,d,e,f\n");
        Path json = write("rows.jsonl", "{\"text\": \"a\", \"label\": 3}\n");

        assertThat(Datasets.labelled(csv)).containsExactly(new LabelledText("a", "b"));
        assertThat(Datasets.labelled(csv, "prompt", "positive")).containsExactly(new LabelledText("c", "f"));
        assertThat(Datasets.labelled(json)).containsExactly(new LabelledText("a", "3"));
        assertThat(Datasets.answers(csv)).containsExactly(new PromptAnswer("c", "d"));
        assertThat(Datasets.pairs(csv)).containsExactly(new TextPair("e", "f"));
        assertThat(Datasets.texts(csv)).containsExactly("a");
        assertThat(Datasets.texts(csv, "answer")).containsExactly("d");
        assertThat(Datasets.labels(Datasets.labelled(csv))).containsExactly("b");
    }

    @Test
    void theKindOfRowsIsToldByTheirColumns() throws IOException {
        assertThat(RowKind.of(write("a.csv", "label,text\n1,2\n"))).isEqualTo(RowKind.LABELLED);
        assertThat(RowKind.of(write("b.jsonl", "{\"answer\": \"\", \"prompt\": \"\", \"id\": 1}\n")))
                .isEqualTo(RowKind.ANSWERED);
        assertThat(RowKind.of(write("c.csv", "anchor,positive\n1,2\n"))).isEqualTo(RowKind.PAIRED);
        assertThat(RowKind.of(write("d.csv", "text\n1\n"))).isEqualTo(RowKind.PLAIN);
        Path other = write("e.csv", "texts\n1\n");
        assertThatThrownBy(() -> RowKind.of(other))
                .isInstanceOf(InvalidFileException.class)
                .hasMessageContaining("expected the columns text and label, or prompt and answer")
                .hasMessageEndingWith("found [texts]; rename the columns");
        Path none = write("f.jsonl", "\n");
        assertThatThrownBy(() -> RowKind.of(none))
                .isInstanceOf(InvalidFileException.class)
                .hasMessage("f.jsonl: expected at least one row, found none; add rows");
    }

    @Test
    void conversationsAreMessagesInJson() throws IOException {
        Path file = write(
                "chat.jsonl",
                "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}, {\"role\": \"assistant\", \"content\": \"b\"}],"
                        + " \"id\": 7, \"tools\": []}\n\n"
                        + "{\"messages\": [{\"role\": \"user\", \"content\": [{\"type\": \"text\", \"text\": \"c\"}]}]}\n");
        assertThat(RowKind.of(file)).isEqualTo(RowKind.CONVERSATION);
        assertThat(Datasets.conversations(file))
                .containsExactly(
                        Conversation.of(Message.user("a"), Message.assistant("b")), Conversation.of(Message.user("c")));
    }

    @Test
    void messagesThatCannotBeLearntAreRefused() throws IOException {
        refusesMessages("{\"messages\": []}", "chat.jsonl, line 1: expected a list of messages under \"messages\"");
        refusesMessages("{\"messages\": [\"hi\"]}", "chat.jsonl, line 1, message 0: expected an object with role");
        refusesMessages("{\"messages\": [{\"role\": \"user\"}]}", "content");
        refusesMessages("{\"messages\": [{\"role\": \"assistant\", \"content\": \"a\", \"weight\": 0}]}", "weight");
        refusesMessages(
                "{\"messages\": [{\"role\": \"assistant\", \"content\": \"a\", \"tool_calls\": [{}]}]}",
                "calls of tools are not known here");
        refusesMessages(
                "{\"messages\": [{\"role\": \"user\", \"content\": [{\"type\": \"image_url\"}]}]}",
                "images and sounds");
        Path csv = write("chat.csv", "messages\na\n");
        assertThatThrownBy(() -> Datasets.conversations(csv))
                .isInstanceOf(InvalidFileException.class)
                .hasMessageContaining("in a file whose name ends in .jsonl");
    }

    private void refusesMessages(String line, String message) throws IOException {
        Path file = write("chat.jsonl", line + "\n");
        assertThatThrownBy(() -> Datasets.conversations(file))
                .isInstanceOf(InvalidFileException.class)
                .hasMessageContaining(message);
    }

    @Test
    void aRowWithoutTheColumnIsNamed() throws IOException {
        Path json = write("rows.jsonl", "{\"text\": \"a\", \"label\": \"b\"}\n{\"text\": \"a\", \"label\": null}\n");
        assertThatThrownBy(() -> Datasets.labelled(json))
                .isInstanceOf(InvalidFileException.class)
                .hasMessageStartingWith("rows.jsonl, line 2: expected a column \"label\", found [text]");
    }

    @Test
    void aColumnsNameStandsOnce() throws IOException {
        Path csv = write("rows.csv", "text,text\na,b\n");
        assertThatThrownBy(() -> Datasets.texts(csv))
                .isInstanceOf(InvalidFileException.class)
                .hasMessage("rows.csv: expected every column's name once, found [text, text]; rename the columns");
    }

    @Test
    void resourcesAreReadToo() {
        assertThat(TextFiles.csv(new StringReader("\uFEFFtext,label\na,b\n"), "resource")
                        .get(0)
                        .get("text"))
                .isEqualTo("a");
    }

    private Path write(String name, String text) throws IOException {
        return Files.writeString(folder.resolve(name), text);
    }
}
