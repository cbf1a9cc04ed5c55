using ActorTrainer.Actors.DataPlane;
using ActorTrainer.Actors.DataPlane.Peers;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.Actors.Stages;
using ActorTrainer.Model.Checkpoints;

namespace ActorTrainer.Actors.Nodes;

/// <summary>One node, as whoever starts its process wants it.</summary>
public sealed record ClusterNodeSettings
{
    /// <summary>The cluster.</summary>
    public required ClusterOptions Options { get; init; }

    /// <summary>See <see cref="NodeReport.Role"/>.</summary>
    public required IReadOnlyList<string> Roles { get; init; }

    /// <summary>Makes runs from what clients submit; used on nodes with the role of a coordinator.</summary>
    public required IRunPreparation Preparation { get; init; }

    /// <summary>Makes the computation of a stage whose unit states are in the store, and which may connect to others over the node's network.</summary>
    public required Func<IObjectStore, IPeerNetwork, IStageComputation> Computation { get; init; }

    /// <summary>Reads the payloads that the stages exchange.</summary>
    public required IPayloadReader Reader { get; init; }

    /// <summary>Measures the GFLOP/s of a stage's products with one thread; called once, blocks.</summary>
    public required Func<double> MeasureSpeed { get; init; }

    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>File for warnings; empty: node.log in the node's folder.</summary>
    public string LogFile { get; init; } = "";

    /// <summary>True: the process ends by itself when the node has left or was removed from the cluster.</summary>
    public bool Exits { get; init; }
}
