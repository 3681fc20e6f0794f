package io.peftj.djl.train;

import java.util.ArrayList;
import java.util.List;

/** Small data in the words that tiny models know. */
public final class Sentences {
    /** The classes of opinions. */
    public static final List<String> LABELS = List.of("praise", "blame");

    private static final List<String> SUBJECTS = List.of("the film", "a book", "the song", "the food", "a room");
    private static final List<String> PRAISE = List.of("good", "great", "fine", "lovely");
    private static final List<String> BLAME = List.of("bad", "poor", "awful", "dull");

    private Sentences() {}

    /** Opinions in rows of several lengths. */
    public static List<LabelledText> opinions() {
        List<LabelledText> rows = new ArrayList<>();
        for (int s = 0; s < SUBJECTS.size(); s++) {
            for (int w = 0; w < PRAISE.size(); w++) {
                String verb = (s + w) % 2 == 0 ? " is " : " was very ";
                rows.add(new LabelledText(SUBJECTS.get(s) + verb + PRAISE.get(w), "praise"));
                rows.add(new LabelledText(SUBJECTS.get(s) + verb + BLAME.get(w), "blame"));
            }
        }
        return rows;
    }

    /** What has which colour. */
    public static List<PromptAnswer> colours() {
        return List.of(
                new PromptAnswer("the book is", "red"),
                new PromptAnswer("the room is", "very green"),
                new PromptAnswer("the food is", "blue and good"),
                new PromptAnswer("a song was", "three"));
    }
}
