using ActorTrainer.Actors.Protocol;
using Akka.Actor;

namespace ActorTrainer.Actors.Crew;

/// <summary>A crew of stage actors inside this process. One that ends is replaced at the next attempt.</summary>
public sealed class LocalCrew : ReceiveActor
{
    private readonly Func<int, Props> _stageProps;
    private readonly IReadOnlyList<int> _partSizes;
    private readonly Dictionary<int, IActorRef> _stages = [];
    private CrewProtocol.Assemble? _current;

    /// <summary>Creates the actor.</summary>
    /// <param name="stageProps">How to make the actor of a stage.</param>
    /// <param name="partSizes">Units of every part, in order.</param>
    /// <param name="stages">Stages of the pipeline.</param>
    public LocalCrew(Func<int, Props> stageProps, IReadOnlyList<int> partSizes, int stages)
    {
        _stageProps = stageProps;
        _partSizes = partSizes;
        Receive<CrewProtocol.Assemble>(assemble => OnAssemble(assemble, stages));
        Receive<Terminated>(OnTerminated);
        Receive<CrewProtocol.Measured>(_ => { });
        Receive<CrewProtocol.Suspect>(_ => { });
        Receive<CrewProtocol.Keep>(_ => { });
    }

    /// <inheritdoc/>
    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(_ => Directive.Stop);

    private void OnAssemble(CrewProtocol.Assemble assemble, int stages)
    {
        _current = assemble;
        for (var stage = 0; stage < stages; stage++)
        {
            if (!_stages.ContainsKey(stage))
            {
                _stages[stage] = Context.Watch(Context.ActorOf(_stageProps(stage), $"stage-{stage}-{assemble.Attempt}"));
            }
        }

        Sender.Tell(new CrewProtocol.Assembled(
            assemble.Run, assemble.Attempt, _partSizes,
            [.. Enumerable.Range(0, stages).Select(stage => new CrewProtocol.Seat(_stages[stage], "here", "", []))],
            new Dictionary<string, IReadOnlyList<string>>()));
    }

    private void OnTerminated(Terminated terminated)
    {
        foreach (var (stage, _) in _stages.Where(s => s.Value.Equals(terminated.ActorRef)).ToList())
        {
            _stages.Remove(stage);
            Context.Parent.Tell(new CrewProtocol.Lost(_current!.Run, _current.Attempt, $"the actor of stage {stage} ended unexpectedly"));
        }
    }
}
