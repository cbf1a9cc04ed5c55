using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;

namespace ActorTrainer.Host.Cli;

/// <summary><c>actortrainer version</c>.</summary>
public sealed class VersionCommand : ICommand
{
    public CommandDescription Description { get; } = new()
    {
        Name = "version",
        Summary = "show the versions of the program and its libraries",
        Paragraphs = ["Shows what a report of a fault should name."],
        TakesConfiguration = false,
        Examples = [new("version", "the same as actortrainer --version")],
    };

    /// <summary>Versions, a line each.</summary>
    public static string Text()
    {
        var text = new StringBuilder();
        text.Append($"actortrainer {VersionOf(typeof(VersionCommand))}\n");
        text.Append($"  .NET       {Environment.Version} on {RuntimeInformation.RuntimeIdentifier}\n");
        text.Append($"  TorchSharp {VersionOf(typeof(TorchSharp.torch)).Split('+')[0]}\n");
        text.Append($"  Akka.NET   {VersionOf(typeof(Akka.Actor.ActorSystem)).Split('+')[0]}\n");
        return text.ToString();
    }

    public Task<int> Run(CommandContext context, CancellationToken cancellation)
    {
        context.Out.Write(Text());
        return Task.FromResult(App.Done);
    }

    private static string VersionOf(Type type)
    {
        var version = type.Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion;
        return version ?? type.Assembly.GetName().Version?.ToString() ?? "unknown";
    }
}
