package io.peftj.benchmarks.compare;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import io.peftj.benchmarks.report.Spread;
import java.util.List;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class SummaryTest {
    private static final Case LORA = new Case("lora", "float32");
    private static final Metric SPEED = Metric.more("speed", "things/s", 1);

    private static Stream<Run> runs(Side side, double... speeds) {
        return DoubleStream.of(speeds).mapToObj(speed -> {
            JsonObject line = new JsonObject();
            line.addProperty("speed", speed);
            return Run.of(side, LORA, 1, 1, line);
        });
    }

    private static Summary.Line line(Stream<Run> runs) {
        List<Summary.Line> lines = Summary.of(List.of(SPEED), runs.toList()).lines();
        assertThat(lines).hasSize(1);
        return lines.get(0);
    }

    @Test
    void theMedianOfAnEvenNumberIsTheMeanOfTheTwoInTheMiddle() {
        assertThat(Spread.of(4, 1, 10, 2)).isEqualTo(new Spread(3, 1, 10, 4));
        assertThat(Spread.of(7, 1, 3)).isEqualTo(new Spread(3, 1, 7, 3));
        assertThat(Spread.of(5)).isEqualTo(new Spread(5, 5, 5, 1));
    }

    @Test
    void theRatioIsOfMedians() {
        Summary.Line line = line(Stream.concat(runs(Side.OURS, 30, 10, 20), runs(Side.PEER, 5, 8, 2)));

        assertThat(line.ratio()).hasValue(4);
        assertThat(line.floorShare()).isEmpty();
    }

    @Test
    void withoutAPeerThereIsNoRatio() {
        assertThat(line(runs(Side.OURS, 30)).ratio()).isEmpty();
        assertThat(line(Stream.concat(runs(Side.OURS, 30), runs(Side.PEER, 0))).ratio())
                .isEmpty();
    }

    @Test
    void valuesThatAreNoNumbersAreNotThere() {
        JsonObject line = new JsonObject();
        line.add("speed", null);
        assertThat(SPEED.of(line)).isEmpty();
        line.addProperty("speed", "fast");
        assertThat(SPEED.of(line)).isEmpty();
    }
}
