package io.peftj.core.io;

import io.peftj.core.InvalidFileException;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;

/** The known names that look most like one that is not known, for messages. */
public final class NearNames {
    private static final int SHOWN = 3;
    /** Longer names, and more of them, are not compared: a distance takes time by the product of the lengths. */
    private static final int LONGEST = 200;

    private static final int MOST = 20_000;

    private NearNames() {}

    /** The error of a name that is not there. */
    static InvalidFileException absent(String description, String wanted, Collection<String> names) {
        return new InvalidFileException(description + ": expected a tensor \"" + shorten(wanted) + "\", found none of "
                + names.size() + " by this name" + clause(wanted, names)
                + "; check that the file belongs to this architecture");
    }

    /** A name for a message: names come from files, and may be as long as those. */
    public static String shorten(String name) {
        return name.length() <= LONGEST ? name : name.substring(0, LONGEST) + "…";
    }

    /** A clause such as {@code ; nearest: "a.weight", "b.weight"}; empty where nothing is near. */
    public static String clause(String wanted, Collection<String> names) {
        if (wanted.length() > LONGEST) {
            return "";
        }
        List<String> near = names.stream()
                .filter(name -> name.length() <= LONGEST)
                .limit(MOST)
                .map(name -> new Candidate(name, distance(wanted, name)))
                .sorted(Comparator.comparingInt(Candidate::distance))
                .limit(SHOWN)
                .map(Candidate::name)
                .toList();
        return near.isEmpty() ? "" : "; nearest: \"" + String.join("\", \"", near) + "\"";
    }

    private record Candidate(String name, int distance) {}

    /** Levenshtein's distance: the fewest characters to insert, delete or replace. */
    private static int distance(String a, String b) {
        int[] previous = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            previous[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int[] current = new int[b.length() + 1];
            current[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int replaced = previous[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                current[j] = Math.min(replaced, 1 + Math.min(previous[j], current[j - 1]));
            }
            previous = current;
        }
        return previous[b.length()];
    }
}
