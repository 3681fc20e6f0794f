package io.peftj.benchmarks.compare;

import com.google.gson.JsonObject;
import io.peftj.core.InvalidFileException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * One process that ended well, or the finding that a side does not do a case.
 *
 * @param round from 1
 * @param seconds how long the process took
 * @param result what it printed; null where the side does not do the case
 * @param absence why the side does not do the case; null where it does
 */
record Run(
        Side side,
        Case of,
        int round,
        double seconds,
        @Nullable JsonObject result,
        @Nullable String absence) {
    /** A process that ended well. */
    static Run of(Side side, Case of, int round, double seconds, JsonObject result) {
        return new Run(side, of, round, seconds, result, null);
    }

    /** A side that does not do a case. */
    static Run absent(Side side, Case of, int round, String reason) {
        return new Run(side, of, round, 0, null, reason);
    }

    JsonObject json() {
        JsonObject json = new JsonObject();
        json.addProperty("side", side.key());
        json.addProperty("method", of.method());
        json.addProperty("dtype", of.dtype());
        json.addProperty("round", round);
        if (result == null) {
            json.addProperty("absent", absence);
        } else {
            json.addProperty("wall_s", Math.round(seconds * 10) / 10.0);
            json.add("result", result);
        }
        return json;
    }

    /**
     * Reads what {@link #json()} wrote.
     *
     * @param source the file, for messages
     */
    static Run parse(JsonObject json, String source) {
        try {
            Side side = Arrays.stream(Side.values())
                    .filter(one -> one.key().equals(json.get("side").getAsString()))
                    .findFirst()
                    .orElseThrow();
            Case of =
                    new Case(json.get("method").getAsString(), json.get("dtype").getAsString());
            int round = json.get("round").getAsInt();
            return json.has("absent")
                    ? absent(side, of, round, json.get("absent").getAsString())
                    : of(side, of, round, json.get("wall_s").getAsDouble(), json.getAsJsonObject("result"));
        } catch (RuntimeException e) {
            throw new InvalidFileException(
                    source + ": expected runs as this command writes them, found " + json + "; move the file away", e);
        }
    }
}
