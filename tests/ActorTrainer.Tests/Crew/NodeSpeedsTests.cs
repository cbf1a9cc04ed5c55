using ActorTrainer.Actors.Crew;
using Xunit;
using static ActorTrainer.Tests.Crew.Needs;

namespace ActorTrainer.Tests.Crew;

public class NodeSpeedsTests
{
    [Fact]
    public void Before_any_step_the_benchmark_decides()
    {
        var speeds = NodeSpeeds.None.Relative([Report("a", speed: 20), Report("b", speed: 5), Report("c", speed: 0)]);

        Assert.Equal([1, 0.25, 1], new[] { speeds["a"], speeds["b"], speeds["c"] });
    }

    [Fact]
    public void Measured_shares_come_near_the_truth_whatever_the_number_of_micro_batches()
    {
        var (a, b) = (Report("a", speed: 10), Report("b", speed: 10));
        var speeds = NodeSpeeds.None;
        for (var step = 1; step <= 30; step++)
        {
            speeds = speeds.After([(a, 2.0), (b, 1.0)], [step * 2.0, step * 4.0]); // b takes four times as long as it should
        }

        Assert.Equal(1, speeds.Share(a), 1e-6);
        Assert.Equal(0.25, speeds.Share(b), 1e-3);
        Assert.Equal(1, speeds.Share(Report("b", "new")), 1e-9);
    }

    [Fact]
    public void Steps_that_say_nothing_change_nothing()
    {
        var (a, b) = (Report("a"), Report("b"));
        Assert.Same(NodeSpeeds.None, NodeSpeeds.None.After([(a, 1)], [3]));
        Assert.Same(NodeSpeeds.None, NodeSpeeds.None.After([(a, 1), (b, 1)], [0, 3]));
        Assert.Same(NodeSpeeds.None, NodeSpeeds.None.After([(a, 1), (b, 1)], [1, double.NaN]));
    }
}
