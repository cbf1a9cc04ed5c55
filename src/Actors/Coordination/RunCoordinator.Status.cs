using ActorTrainer.Actors.Protocol;
using ActorTrainer.Model.Optimisation;
using Akka.Actor;

namespace ActorTrainer.Actors.Coordination;

/// <content>What the run is doing, for those who ask.</content>
public sealed partial class RunCoordinator
{
    private readonly List<IActorRef> _asking = [];

    /// <summary>Asks the stages first; those that do not answer soon are named.</summary>
    private void OnAskStatus()
    {
        _asking.Add(Sender);
        if (Stages == 0)
        {
            AnswerStatus();
            return;
        }

        Inquire(stalled: false);
    }

    private void AnswerStatus()
    {
        var state = _saved.Count < _services.Units.Count && _unanswered.Values.Any(order => order is StageProtocol.Save)
            ? $"saves the checkpoint of step {_state.At.Step}"
            : $"{(_phase == Phase.Train ? "step" : "evaluation after step")} {StepNumber}";
        var stages = Enumerable.Range(0, Stages).Select(stage => _statuses.TryGetValue(stage, out var status)
            ? $"{Seat(stage)} {status.Text} ({status.Seconds:F1} s)"
            : $"{Seat(stage)} does not answer");
        var answer = Status(state, [.. stages]);
        _asking.ForEach(asking => asking.Tell(answer));
        _asking.Clear();
    }

    private RunStatus Status(string state, IReadOnlyList<string> stages)
    {
        var tokens = _state.At.Sequences * _services.Batches.TokensPerSequence;
        return new RunStatus(
            _options.Name, state, _state.Attempt, _state.At.Step, _state.Committed.Step,
            Budget.Fraction(_options.Train, _state.At.Step, tokens, _state.At.Seconds), stages);
    }
}
