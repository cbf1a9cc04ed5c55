using ActorTrainer.Actors.DataPlane;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.Actors.Telemetry;
using Akka.Actor;

namespace ActorTrainer.Actors.Coordination;

/// <summary>What a coordinator works with.</summary>
public sealed record RunServices
{
    /// <summary>The run.</summary>
    public required RunOptions Options { get; init; }

    /// <summary>Names of all units, in order.</summary>
    public required IReadOnlyList<string> Units { get; init; }

    /// <summary>Settings that decide the result, one <c>key=value</c> a line: a journalled run only goes on with equal ones.</summary>
    public required string Recipe { get; init; }

    /// <summary>Settings for the stages' computation.</summary>
    public required string StageRecipe { get; init; }

    /// <summary>Unit → hash of the weights that fine-tuning starts from; empty: initial weights.</summary>
    public IReadOnlyDictionary<string, string> Base { get; init; } = new Dictionary<string, string>();

    /// <summary>Whether the head uses the embedding's token table, as in pre-training.</summary>
    public bool Tied { get; init; } = true;

    /// <summary>Told of each committed checkpoint and its objects, on the coordinator's thread; must be quick.</summary>
    public Action<long, IReadOnlyDictionary<string, string>>? Committed { get; init; }

    public required IDataPlane Plane { get; init; }

    /// <summary>How to make the actor that knows where stages live; see <see cref="CrewProtocol"/>.</summary>
    public required Props Crew { get; init; }

    public required IBatchSource Batches { get; init; }

    public required ICheckpoints Checkpoints { get; init; }

    public required IRunObserver Observer { get; init; }

    public required RunClock Clock { get; init; }

    /// <summary>Time after which a stage that has not answered a command is told again.</summary>
    public TimeSpan RepeatAfter { get; init; } = TimeSpan.FromSeconds(1);
}
