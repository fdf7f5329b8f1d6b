// Every wait of these tests has an end. The bound is generous, for a sanitized server on a busy machine: it is there so
// that a test which waits for what never comes fails and says what that was. No test judges how long something took.

const seconds = Number(process.env.WINDHOVER_TEST_BOUND ?? 120);

export async function within(promise, what) {
  let timer;
  const bound = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${seconds} s for ${what}`)), seconds * 1000);
  });
  try {
    return await Promise.race([promise, bound]);
  } finally {
    clearTimeout(timer);
  }
}
