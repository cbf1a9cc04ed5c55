using ActorTrainer.Actors;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.Stages;

namespace ActorTrainer.Host.Encrypted;

/// <summary>How encrypted units are cut into stages. There is one unit less than in the clear, since the owner embeds.</summary>
internal static class EncryptedCut
{
    /// <summary>Relative costs of units: the head costs about half a layer.</summary>
    public static IReadOnlyList<double> Costs(int units) => [.. Enumerable.Repeat(2.0, units - 1), 1.0];

    /// <summary>The cut that <c>pipeline.cut</c> gives; null: it is left open.</summary>
    /// <exception cref="RefusedException">It is none of these units.</exception>
    public static StagePartition? Given(PipelineOptions pipeline, int units) => pipeline.Cut.Count == 0 ? null : StagePartition.FromCut(pipeline.Cut, units, What(units));

    /// <summary>The cut that the configuration asks for in one process.</summary>
    /// <exception cref="RefusedException">There are fewer units than parts.</exception>
    public static StagePartition Of(PipelineOptions pipeline, int units)
    {
        Require(pipeline, units);
        return Given(pipeline, units) ?? StagePartition.ByCost(Costs(units), pipeline.Stages * pipeline.Chunks);
    }

    /// <summary>Refuses more parts than units.</summary>
    /// <exception cref="RefusedException">Says how many there are.</exception>
    public static void Require(PipelineOptions pipeline, int units)
    {
        var parts = pipeline.Stages * pipeline.Chunks;
        if (parts > units)
        {
            throw new RefusedException($"pipeline.stages={pipeline.Stages} times pipeline.chunks={pipeline.Chunks} is {parts} parts, but an encrypted model has {units} units ({What(units)}): take at most that many.");
        }
    }

    private static string What(int units) => $"{units - 1} layers and the head; the owner embeds";
}
