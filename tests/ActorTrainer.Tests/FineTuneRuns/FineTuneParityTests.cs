using ActorTrainer.Actors.Protocol;
using ActorTrainer.Actors.Schedules;
using ActorTrainer.Tests.Bert;
using Xunit;

namespace ActorTrainer.Tests.FineTuneRuns;

public class FineTuneParityTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Full_and_lora_fine_tuning_have_the_same_digests_for_one_two_and_four_stages(bool lora)
    {
        var trial = new FineTuneTrial { Lora = lora };
        var one = await trial.Digests();

        Assert.Equal(one, await (trial with { Cut = [1, 3] }).Digests());
        Assert.Equal(one, await (trial with { Cut = [1, 1, 1, 1], Serialize = true }).Digests());
        Assert.Equal(one, await (trial with { Cut = [2, 2], Schedule = ScheduleKind.GPipe }).Digests());
        Assert.Equal(one.Count, one.Distinct().Count());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_run_that_stops_and_goes_on_with_other_stages_has_the_digests_of_one_that_did_not(bool lora)
    {
        var trial = new FineTuneTrial { Lora = lora };
        using var folder = new TemporaryFolder();
        var source = FineTuneTrial.Base(folder.Path);
        var run = Path.Combine(folder.Path, "run");
        var digests = new List<string>();

        Assert.Equal(OutcomeKind.Stopped, (await trial.Execute(run, source, FineTuneTrial.Collect(digests), stopAfter: 7)).Kind);
        var stopped = digests.Count;
        Assert.Equal(OutcomeKind.Completed, (await (trial with { Cut = [2, 2] }).Execute(run, source, FineTuneTrial.Collect(digests))).Kind);

        Assert.InRange(stopped, 7, FineTuneTrial.Steps - 1);
        Assert.Equal(await trial.Digests(), digests);
    }

    [Fact]
    public async Task Full_fine_tuning_learns_and_its_loss_falls()
    {
        using var folder = new TemporaryFolder();
        var losses = new List<double>();
        await new FineTuneTrial().Execute(
            Path.Combine(folder.Path, "run"), FineTuneTrial.Base(folder.Path), new Bench.RunProbe { Step = step => losses.Add(step.Loss) });

        Assert.True(losses.TakeLast(3).Average() < losses.Take(3).Average(), string.Join(' ', losses));
    }
}
