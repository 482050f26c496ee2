namespace Nacelle.Kernel.Tests;

static class Wait
{
    /// <summary>Looks again and again until something is so; gives up after a long while, saying what it saw.</summary>
    public static void Until(Func<bool> condition, Func<string> seen)
    {
        for (int round = 0; round < 3000; round++)
        {
            if (condition())
            {
                return;
            }

            Thread.Sleep(10);
        }

        Assert.Fail(seen());
    }
}
