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

    /// <summary>Unit name → hash of its pre-trained weights in the store; empty: none, units begin with initial weights.</summary>
    public IReadOnlyDictionary<string, string> Base { get; init; } = new Dictionary<string, string>();

    /// <summary>Whether the head's decoder is the embedding's table.</summary>
    public bool Tied { get; init; } = true;

    /// <summary>
    /// Told of every checkpoint once the journal has it: step, and name → hash of its objects, the base's under <c>base/UNIT</c> among them.
    /// Must be quick and not throw.
    /// </summary>
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
