using ActorTrainer.Actors.Protocol;
using ActorTrainer.Actors.Telemetry;
using ActorTrainer.Host.Cli;
using ActorTrainer.Host.Configuration;
using ActorTrainer.Host.Reports;
using ActorTrainer.Host.Views;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Host.Commands;

/// <summary>The files and the screen of a run that somebody looks at, local or followed: configuration, metrics, trace, view, reports.</summary>
internal sealed class RunReporting : IDisposable
{
    private readonly CommandContext _context;
    private readonly string _folder;
    private readonly double? _bubble;
    private readonly bool _followed;
    private readonly MetricsLog _metrics;
    private readonly TraceCollector _trace;
    private readonly IRunObserver _view;

    /// <param name="context">The command.</param>
    /// <param name="folder">Folder of the run, held by the caller.</param>
    /// <param name="bubble">Idle share by the schedule's formula; null where none applies.</param>
    /// <param name="followed">True: the run lives elsewhere, and was perhaps followed before.</param>
    public RunReporting(CommandContext context, string folder, double? bubble, bool followed = false)
    {
        var run = context.Run;
        var budget = new RunBudget(run.Train.BudgetUnit, run.Train.Budget);
        _context = context;
        _folder = folder;
        _bubble = bubble;
        _followed = followed;
        _metrics = new MetricsLog(folder);
        _trace = new TraceCollector(run.Impl.TraceSteps);
        _view = context.Console.Profile.Out.IsTerminal
            ? new LiveView(context.Console, run.Name, budget, bubble)
            : new PlainView(context.Out, budget, bubble);
        Observer = new RunObservers(
            new ConfigLog(folder, ConfigPrinter.Print(context.Configuration!)), followed ? new FollowedMetrics(_metrics, RunMetrics.Read(folder)) : _metrics, _trace, _view);
    }

    /// <summary>Tell it what happens in the run.</summary>
    public IRunObserver Observer { get; }

    /// <summary>Ends the view.</summary>
    public void Dispose()
    {
        (_view as IDisposable)?.Dispose();
        _metrics.Dispose();
    }

    /// <summary>After <see cref="Dispose"/>: writes the reports of a run that has ended.</summary>
    /// <returns>The exit code.</returns>
    /// <exception cref="RefusedException">The run was refused.</exception>
    public int Finish(RunProtocol.Outcome outcome)
    {
        if (outcome.Kind == OutcomeKind.Refused)
        {
            throw new RefusedException(outcome.Message);
        }

        var run = _context.Run;
        RunReports.Write(_context.Out, run, _folder, _bubble, _trace.Spans, outcome, _followed);
        if (outcome.Kind == OutcomeKind.Failed)
        {
            _context.Error.WriteLine($"actortrainer: {run.Name} failed: {outcome.Message}");
        }

        return outcome.Kind == OutcomeKind.Completed ? App.Done : App.Failed;
    }
}
