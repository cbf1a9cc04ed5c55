using ActorTrainer.Actors.Crew;
using ActorTrainer.Actors.Nodes;
using ActorTrainer.Actors.Protocol;

namespace ActorTrainer.Tests.Crew;

/// <summary>Small runs and nodes.</summary>
internal static class Needs
{
    public const long Mib = 1 << 20;

    public static CrewNeeds Of(int units = 6, int microBatches = 8) => new()
    {
        Units = ["embedding", .. Enumerable.Range(0, units - 2).Select(i => $"layers.{i}"), "head"],
        UnitSeconds = [.. Enumerable.Repeat(1.0, units)],
        UnitMemory = [.. Enumerable.Repeat(new UnitMemory(100 * Mib, 10 * Mib), units)],
        MicroBatches = microBatches,
    };

    public static PlacementNode Node(string name, double speed = 1, long mib = 10_000, params string[] holds) => new(name, speed, mib * Mib, holds);

    public static PlacementProblem Problem(CrewNeeds needs, params PlacementNode[] nodes) =>
        new() { Needs = needs, Nodes = nodes, Keepers = [.. nodes.Select(node => node.Name)] };

    public static NodeReport Report(string name, string incarnation = "a", double speed = 10, long mib = 10_000, bool stage = true) => new(
        name, $"{name}-{incarnation}", stage ? [NodeReport.Role.Stage] : [NodeReport.Role.Coordinator], $"{name}:7000", 1, mib * Mib, speed, "");
}
