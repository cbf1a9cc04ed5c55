namespace ActorTrainer.Host;

public static class Program
{
    public static int Main(string[] args)
    {
        Console.WriteLine(TorchSharp.torch.ones(2, 2).sum().item<float>());
        using var plot = new ScottPlot.Plot();
        plot.Add.Signal(new double[] { 1, 2, 3 });
        plot.SavePng("/tmp/x.png", 300, 200);
        return args.Length;
    }
}
