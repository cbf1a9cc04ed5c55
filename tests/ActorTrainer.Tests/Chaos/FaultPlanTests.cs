using ActorTrainer.Host.Chaos;
using ActorTrainer.Model.Common;
using CsCheck;
using Xunit;

namespace ActorTrainer.Tests.Chaos;

public class FaultPlanTests
{
    private static readonly string[] Coordinators = ["n0", "n1"];

    private static readonly string[] Stages = ["n2", "n3", "n4"];

    private static readonly Gen<(ulong Seed, int Count, int More)> Plans = Gen.Select(Gen.ULong, Gen.Int[1, 60], Gen.Int[0, 300]);

    [Fact]
    public void Equal_seeds_give_equal_plans_and_others_give_others()
    {
        var texts = new[] { 1UL, 1UL, 2UL }.Select(seed =>
            string.Join('\n', FaultPlan.Draw(seed, 20, 200, Coordinators, Stages).Faults.Select(fault => $"{fault.AtStep} {fault}"))).ToList();

        Assert.Equal(texts[0], texts[1]);
        Assert.NotEqual(texts[0], texts[2]);
    }

    [Fact]
    public void Faults_keep_their_distance_and_leave_steps_before_and_after() => Plans.Sample(drawn =>
    {
        var steps = FaultPlan.StepsFor(drawn.Count) + drawn.More;
        var at = FaultPlan.Draw(drawn.Seed, drawn.Count, steps, Coordinators, Stages).Faults.Select(fault => fault.AtStep).ToList();

        Assert.Equal(drawn.Count, at.Count);
        Assert.True(at[0] >= FaultPlan.FirstStep && at[^1] <= steps - FaultPlan.Tail);
        Assert.All(at.Zip(at.Skip(1)), pair => Assert.True(pair.Item2 - pair.Item1 >= FaultPlan.Spacing));
    });

    [Fact]
    public void Twenty_faults_hold_every_kind_a_partition_of_ten_seconds_and_two_kills_of_coordinators() => Gen.ULong.Sample(seed =>
    {
        var faults = FaultPlan.Draw(seed, 20, 200, Coordinators, Stages).Faults;

        Assert.Equal(Enum.GetValues<FaultKind>(), faults.Select(fault => fault.Kind).Distinct().Order());
        Assert.Contains(faults, fault => fault.Kind == FaultKind.Partition && fault.Duration == TimeSpan.FromSeconds(10));
        Assert.True(faults.Count(fault => fault.Kind == FaultKind.KillCoordinator) >= 2);
    });

    [Fact]
    public void Every_fault_hits_nodes_of_its_kind_for_times_of_its_kind() => Plans.Sample(drawn =>
    {
        foreach (var fault in FaultPlan.Draw(drawn.Seed, drawn.Count, 10_000, Coordinators, Stages).Faults)
        {
            var two = fault.Kind is FaultKind.KillTwo or FaultKind.CutLink;
            Assert.Equal(two ? 2 : 1, fault.Nodes.Distinct().Count());
            Assert.All(fault.Nodes, node => Assert.Contains(node, fault.Kind switch
            {
                FaultKind.KillCoordinator => Coordinators,
                FaultKind.KillStage or FaultKind.KillDuringCheckpoint or FaultKind.Slow or FaultKind.Hold => Stages,
                _ => Coordinators.Concat(Stages),
            }));
            var (least, most) = fault.Kind switch
            {
                FaultKind.Pause => (3.0, 6.0),
                FaultKind.CutLink => (2.0, 8.0),
                FaultKind.Partition => (10.0, 10.0),
                FaultKind.Slow => (5.0, 5.0),
                FaultKind.Hold => (4.0, 8.0),
                FaultKind.KillTwo => (0.0, 1.5),
                _ => (0.0, 0.0),
            };
            Assert.InRange(fault.Duration.TotalSeconds, least, most);
        }
    });

    [Fact]
    public void A_run_too_short_for_its_faults_is_refused_with_the_steps_it_needs()
    {
        var refused = Assert.Throws<RefusedException>(() => FaultPlan.Draw(1, 20, 45, Coordinators, Stages));

        Assert.Contains("46 steps", refused.Message);
        Assert.Throws<RefusedException>(() => FaultPlan.Draw(1, 20, 200, Coordinators, ["n2"]));
    }
}
